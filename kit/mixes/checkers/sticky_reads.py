"""Sticky reads: a change once seen on a page stays there, until a later instruction names that page.

A look counts when a container answered: status 200 or 404. Between two containers nothing is seen at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .reading import read, shortest, violation

_ANSWERED = (200, 404)


def sticky_reads(events: Sequence[Event]) -> Finding:
    """What a session's page has shown, it goes on to show."""
    reading = read(events)
    changed = {
        (one.project, page): one.invoke.index
        for one in reading.instructions.values()
        if (page := one.invoke.touches.get("page"))
    }
    seen: dict[tuple[str, str], dict[str, Event]] = {}
    found = []
    for look in reading.looks:
        if look.touches["place"] != "preview" or look.value.get("status") not in _ANSWERED:
            continue
        page = str(look.value.get("page", ""))
        session = look.touches.get("session_id", look.touches["session"])
        known = seen.setdefault((session, page), {})
        shown = set(look.value["markers"])
        changed_at = changed.get((look.touches["project"], page), -1)
        for marker, before in known.items():
            if marker not in shown and not before.index < changed_at < look.index:
                text = f"{marker} was on page {page!r} of session {session}, and is not any more"
                wrote = reading.instructions.get(marker)
                found.append(violation(text, wrote.invoke if wrote else None, before, look))
        for marker in shown:
            known.setdefault(marker, look)
    return shortest(found, f"{sum(map(len, seen.values()))} change(s) seen, none lost")
