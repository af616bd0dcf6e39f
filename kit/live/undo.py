"""What ends a fault: the calls that bring back what was before, in the ledger before the fault is injected.

    entry = planned(ledger, "CutFromLoadBalancer sg-1", [Undo("ec2", "authorize_security_group_ingress", {…})])
    inject … ledger.created(entry) … undo … ledger.removed(entry)
    the run is killed --> kit janitor: undo(aws, entry), ledger.removed(entry)

The calls may be made more than once, in this order, and when what they are about is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kit.backends.aws import Aws
from kit.live.ledger import Entry, Ledger

FAULT = "fault"
"""The kind of these entries."""
_DONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist|Duplicate|AlreadyExists")
"""Error codes that say a call was made before, or that there is nothing left to undo."""


@dataclass(frozen=True)
class Undo:
    """One AWS call, as `Aws.call` takes it; the parameters are what JSON can hold."""

    service: str
    operation: str
    params: Mapping[str, Any]


def planned(ledger: Ledger, name: str, undo: Iterable[Undo]) -> Entry:
    """Write down how a fault is undone; only then inject it."""
    return ledger.intend(FAULT, name, undo=[vars(one) for one in undo])


async def undo(aws: Aws, entry: Entry) -> None:
    """Make an entry's calls. Raises botocore's `ClientError` for one that AWS refuses for another reason than that it
    was made before."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

    for one in entry.facts.get("undo", ()):
        try:
            await aws.call(one["service"], one["operation"], **one["params"])
        except ClientError as error:
            if not _DONE.search(error.response["Error"]["Code"]):
                raise
