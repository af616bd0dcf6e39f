"""EC2 networking: enforced security groups, disruptions, and the network interfaces of tasks."""

from .controller import Network

__all__ = ["Network"]
