"""CloudWatch metrics and alarms, and Application Auto Scaling of ECS services."""

from .controller import Scaling

__all__ = ["Scaling"]
