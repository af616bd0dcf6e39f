"""Sticky reads: a change once seen on a page stays there, until a later instruction names that page.

A look counts when a container answered: status 200 or 404. Between two containers nothing is seen at all. An
instruction may change its page from when it was given until it was done.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate

from ...core.checkers import Finding
from ...core.history import Event
from .effects import done
from .reading import Reading, read, shortest, violation

_ANSWERED = (200, 404)
_NOT_YET = float("inf")


def sticky_reads(events: Sequence[Event]) -> Finding:
    """What a session's page has shown, it goes on to show."""
    reading = read(events)
    changes = _Changes(reading)
    shown: dict[tuple[str, str], dict[str, Event]] = defaultdict(dict)
    """What each page of a session shows, with the last look that saw it."""
    seen = 0
    found = []
    for look in reading.looks:
        if look.touches["place"] != "preview" or look.value.get("status") not in _ANSWERED:
            continue
        page = str(look.value.get("page", ""))
        session = look.touches.get("session_id", look.touches["session"])
        before, now = shown[session, page], set(look.value["markers"])
        for marker in [marker for marker in before if marker not in now]:
            if look.operation < before[marker].index:
                continue  # the looks overlap: this one may have seen the page before the other
            was = before.pop(marker)
            if not changes.between(was, look, page):
                text = f"{marker} was on page {page!r} of session {session}, and is not any more"
                wrote = reading.instructions.get(marker)
                found.append(violation(text, wrote.invoke if wrote else None, was, look))
        seen += len(now - before.keys())
        before.update(dict.fromkeys(now, look))
    return shortest(found, f"{seen} change(s) seen, none lost")


class _Changes:
    """When instructions may have changed a page."""

    def __init__(self, reading: Reading) -> None:
        ended = done(reading)
        spans: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
        for one in reading.instructions.values():
            page = one.invoke.touches.get("page")
            if page and not one.refused:
                end = ended.get(one.marker)
                spans[one.project, page].append((one.invoke.index, _NOT_YET if end is None else end.index))
        self._given = {key: [given for given, _ in each] for key, each in spans.items()}
        self._latest = {key: list(accumulate(((end, -1.0) for _, end in each), _two)) for key, each in spans.items()}
        """The two latest ends among the instructions given up to each one."""

    def between(self, before: Event, look: Event, page: str) -> bool:
        """Whether an instruction of the page was under way between two looks; what the first one saw was done."""
        key = look.touches["project"], page
        given = bisect_left(self._given.get(key, []), look.index)
        return given > 0 and any(before.operation < end != before.index for end in self._latest[key][given - 1])


def _two(latest: tuple[float, float], more: tuple[float, float]) -> tuple[float, float]:
    """The two greatest of these, without repetition."""
    first, second, *_ = sorted({*latest, *more, -2.0}, reverse=True)
    return first, second
