"""DynamoDB beyond the state store: metering of capacity units, and on-demand maximum throughput."""

from .metering import Metering
from .on_demand_throughput import OnDemandThroughput

__all__ = ["Metering", "OnDemandThroughput"]
