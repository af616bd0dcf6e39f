"""Security groups made real between load balancers and tasks, and between tasks and AWS."""

from emulation.network.controller import Network

__all__ = ["Network"]
