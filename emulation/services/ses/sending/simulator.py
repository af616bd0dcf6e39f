"""The SES mailbox simulator: addresses at simulator.amazonses.com with defined behavior.

Source: Amazon SES Developer Guide, "Using the mailbox simulator". Labels (`bounce+1@`) are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..addresses import domain_of
from ..bounces import Failure

DOMAIN = "simulator.amazonses.com"


@dataclass(frozen=True)
class DeliveryResult:
    """The result of delivering a mail to one recipient."""

    delivered: bool = True
    bounce: Failure | None = None
    bounce_subtype: str = "General"
    complaint: bool = False
    auto_reply: bool = False


DELIVERED = DeliveryResult()
UNKNOWN_MAILBOX = DeliveryResult(delivered=False, bounce=Failure("5.1.1", "550 5.1.1 user unknown"))
_SUPPRESSED = Failure(
    "5.1.1",
    "Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid "
    "address.",
)
_RESULTS = {
    "success": DELIVERED,
    "bounce": UNKNOWN_MAILBOX,
    "complaint": DeliveryResult(complaint=True),
    "ooto": DeliveryResult(auto_reply=True),
    "suppressionlist": DeliveryResult(delivered=False, bounce=_SUPPRESSED, bounce_subtype="Suppressed"),
}


def simulated(address: str) -> DeliveryResult | None:
    """The result for a simulator address; None for any other."""
    if domain_of(address) != DOMAIN:
        return None
    local = address.rpartition("@")[0].partition("+")[0].lower()
    return _RESULTS.get(local, UNKNOWN_MAILBOX)
