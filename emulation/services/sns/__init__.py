"""SNS beyond the state store: the metrics that AWS publishes about topics."""

from .metering import Metering

__all__ = ["Metering"]
