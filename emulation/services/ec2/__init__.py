"""Security groups made real between load balancers and tasks, and between tasks and AWS."""

from .controller import Network

__all__ = ["Network"]
