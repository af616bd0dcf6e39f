"""Checkers of mixes: each judges the events of one performance, and reads nothing else.

What a performance records is listed in `kit.mixes.play`. Each checker runs in linear or n log n time.
"""

from __future__ import annotations

from ...core.checkers import Checker
from .capacity import capacity
from .exactly_once import exactly_once
from .isolation import isolation
from .legal_life import legal_life
from .liveness import liveness
from .mail_loop import mail_loop
from .order import order
from .quiet_end import quiet_end
from .sticky_reads import sticky_reads

CHECKERS: tuple[Checker, ...] = (
    isolation,
    exactly_once,
    order,
    sticky_reads,
    legal_life,
    liveness,
    mail_loop,
    capacity,
    quiet_end,
)

__all__ = [
    "CHECKERS",
    "capacity",
    "exactly_once",
    "isolation",
    "legal_life",
    "liveness",
    "mail_loop",
    "order",
    "quiet_end",
    "sticky_reads",
]
