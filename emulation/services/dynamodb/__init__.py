"""DynamoDB's on-demand maximum throughput, kept and made real; everything else of DynamoDB is the base's."""

from .controller import OnDemand

__all__ = ["OnDemand"]
