"""The resources in an account that a run can leave behind, read from each service and from the Tagging API.

    LISTINGS --one call each---------------> Resource …
    resourcegroupstaggingapi.get_resources --> ARN → tags

Neither reads the run's ledger. To add a kind, add a row to `LISTINGS` with the ARN types that it lists completely: a
tagged ARN of such a type that is not listed is gone (the Tagging API lags behind deletions); any other tagged ARN
exists.
"""

from .regions import NotInRegion
from .resource import AwsAccount, Resource
from .snapshot import Snapshot, Unreadable, take_snapshot

__all__ = ["AwsAccount", "NotInRegion", "Resource", "Snapshot", "Unreadable", "take_snapshot"]
