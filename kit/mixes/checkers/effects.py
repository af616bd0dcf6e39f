"""When the effect of an instruction was known to be there."""

from __future__ import annotations

from ...core.history import Event
from .reading import Reading

SHOWS_WORK = frozenset({"files", "history", "preview", "hot_reload"})
"""The places where a marker surfaces by work that was done; a log may name it before."""


def done(reading: Reading) -> dict[str, Event]:
    """The first event by which each instruction was done, by marker: its reply, or the first sight of its marker."""
    first: dict[str, Event] = {}
    for message, one in reading.by_message().items():
        if message in reading.replies:
            first[one.marker] = reading.replies[message][0]
    for look in reading.looks:
        if look.touches["place"] not in SHOWS_WORK:
            continue
        for marker in look.value["markers"]:
            if marker in reading.instructions and (marker not in first or look.index < first[marker].index):
                first[marker] = look
    return first
