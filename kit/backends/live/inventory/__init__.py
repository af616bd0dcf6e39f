"""What there is in an account, asked of each service itself: the kinds of things that a run can leave behind.

    listings() --each asks one service--> Thing …
    tagged()   --Resource Groups Tagging API--> ARN → tags

Neither knows of the ledger. A kind is one function of this package and one line of `LISTINGS`, with the types of ARNs
that it tells completely: what the Tagging API names of these types and the listing has not is gone (the Tagging API
forgets late), anything else that it names is there.
"""

from .everything import Looked, Unseen, look
from .regions import Absent
from .resource import Ground, Thing

__all__ = ["Absent", "Ground", "Looked", "Thing", "Unseen", "look"]
