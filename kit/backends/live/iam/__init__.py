"""What a live run may do: the least-privilege policy of its role, from the calls that a rehearsal made.

    calls.jsonl of a rehearsal --calls--> calls.json --actions--> IAM actions --rules--> statements --fill--> policy

`calls.json` and `policy.json` are checked in; a fresh rehearsal that calls more, or less, fails the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....settings import Settings


def policy(settings: Settings) -> Mapping[str, Any]:
    """The policy for a run with these settings, in one document. Too large for IAM to take as one: `documents`."""
    from .document import one  # noqa: PLC0415 - read when it is asked for
    from .values import values_of  # noqa: PLC0415

    return one(values_of(settings))


def documents(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """The same as documents that IAM takes as managed policies, by name."""
    from .document import split  # noqa: PLC0415 - read when it is asked for
    from .values import values_of  # noqa: PLC0415

    return split(values_of(settings))
