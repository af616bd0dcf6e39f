"""Isolation: no marker surfaces at a place of a project that it was not written into.

Places are files, git history, commits, previews, hot-reload messages, rows, replies. A marker of an earlier mix is
foreign everywhere. The witness is who wrote the marker, where it surfaced first, and where it surfaced next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.checkers import Finding
from ...core.history import Event
from .reading import Reading, read, shortest, violation, within


def isolation(events: Sequence[Event]) -> Finding:
    """No marker surfaces where it does not belong."""
    reading = read(events)
    sightings: dict[tuple[str, str], list[tuple[Event, str]]] = {}
    for event, place, markers in _looks(reading):
        project = reading.project_of(event)
        for marker in markers:
            wrote = reading.instructions.get(marker)
            if project and (wrote is None or not within(wrote.project, project)):
                sightings.setdefault((marker, project), []).append((event, place))
    found = [_violation(reading, marker, project, seen) for (marker, project), seen in sightings.items()]
    return shortest(found, f"{len(reading.instructions)} marker(s), each in its own project only")


def _violation(reading: Reading, marker: str, project: str, seen: list[tuple[Event, str]]) -> Finding:
    wrote = reading.instructions.get(marker)
    writer = str(wrote) if wrote else f"{marker} of an earlier mix"
    places = list(dict.fromkeys(place for _, place in seen))
    text = f"{writer} surfaced in {project}: {', '.join(places)}"
    return violation(text, wrote.invoke if wrote else None, *(event for event, _ in seen[:2]))


def _looks(reading: Reading) -> Iterator[tuple[Event, str, Sequence[str]]]:
    for event in reading.looks:
        yield event, event.touches["place"], event.value["markers"]
    for event in reading.contents:
        yield event, "reply", event.value["markers"]
    for event, id, markers in reading.all_commits():
        yield event, f"commit {id[:10]}", markers
