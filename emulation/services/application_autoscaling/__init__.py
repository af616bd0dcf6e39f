"""Application Auto Scaling of ECS services."""

from .controller import ApplicationAutoScaling

__all__ = ["ApplicationAutoScaling"]
