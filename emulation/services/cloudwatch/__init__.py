"""CloudWatch metrics, alarms and metric math."""

from .controller import Cloudwatch

__all__ = ["Cloudwatch"]
