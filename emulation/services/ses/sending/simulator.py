"""The SES mailbox simulator: addresses at simulator.amazonses.com that behave as asked.

Source: Amazon SES Developer Guide, "Using the mailbox simulator". Labels (`bounce+1@`) are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import domain_of
from ..bounces import Failure

DOMAIN = "simulator.amazonses.com"


@dataclass(frozen=True)
class Fate:
    """What becomes of a mail for one recipient."""

    delivered: bool = True
    bounce: Failure | None = None
    bounce_subtype: str = "General"
    complaint: bool = False
    auto_reply: bool = False


DELIVERED = Fate()
UNKNOWN_MAILBOX = Fate(delivered=False, bounce=Failure("5.1.1", "550 5.1.1 user unknown"))
_SUPPRESSED = Failure(
    "5.1.1",
    "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid "
    "address.",
)
_FATES = {
    "success": DELIVERED,
    "bounce": UNKNOWN_MAILBOX,
    "complaint": Fate(complaint=True),
    "ooto": Fate(auto_reply=True),
    "suppressionlist": Fate(delivered=False, bounce=_SUPPRESSED, bounce_subtype="Suppressed"),
}


def simulated(address: str) -> Fate | None:
    """What the simulator does with a mail to this address; None when it is not the simulator's."""
    if domain_of(address) != DOMAIN:
        return None
    local = address.rpartition("@")[0].partition("+")[0].lower()
    return _FATES.get(local, UNKNOWN_MAILBOX)
