"""CloudWatch metrics and alarms, and Application Auto Scaling of ECS services."""

from emulation.scaling.controller import Scaling

__all__ = ["Scaling"]
