"""CloudWatch Logs beyond the state store: the metrics that AWS publishes about log groups."""

from .metering import Metering

__all__ = ["Metering"]
