"""Isolation: no marker surfaces at a place of a project that it was not written into, and no reply at another person.

Places are files, git history, commits, previews, hot-reload messages, rows, logs, metrics, replies. A marker of an
earlier mix is foreign everywhere. The witness is who wrote the marker, where it surfaced first, and where it surfaced
next.
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
    for event, place, markers, projects in _looks(reading):
        for marker in markers:
            wrote = reading.instructions.get(marker)
            if projects and (wrote is None or not any(within(wrote.project, project) for project in projects)):
                sightings.setdefault((marker, projects[0]), []).append((event, place))
    found = [_violation(reading, marker, project, seen) for (marker, project), seen in sightings.items()]
    found += _misdirected(reading)
    return shortest(found, f"{len(reading.instructions)} marker(s), each in its own project only")


def _violation(reading: Reading, marker: str, project: str, seen: list[tuple[Event, str]]) -> Finding:
    wrote = reading.instructions.get(marker)
    writer = str(wrote) if wrote else f"{marker} of an earlier mix"
    places = list(dict.fromkeys(place for _, place in seen))
    text = f"{writer} surfaced in {project}: {', '.join(places)}"
    first_two = sorted((event for event, _ in seen), key=lambda event: event.index)[:2]
    return violation(text, wrote.invoke if wrote else None, *first_two)


def _misdirected(reading: Reading) -> Iterator[Finding]:
    """Replies that went to another person than the sender of the mail that they answer."""
    for message, one in reading.by_message().items():
        for reply in reading.replies.get(message, []):
            if one.sender and reply.touches["user"].lower() != one.sender:
                yield violation(f"the reply to {one} went to {reply.touches['user']}", one.invoke, reply)


def _looks(reading: Reading) -> Iterator[tuple[Event, str, Sequence[str], Sequence[str]]]:
    """Each look with its place, the markers there, and the projects whose markers may be there."""
    for event in reading.looks:
        yield event, event.touches["place"], event.value["markers"], _own(reading, event)
    of_person = reading.projects_of_people()
    for event in reading.contents:
        own = _own(reading, event) or of_person.get(event.touches["user"].lower(), ())
        yield event, "reply", event.value["markers"], own
    for event, id, markers in reading.all_commits():
        yield event, f"commit {id[:10]}", markers, _own(reading, event)


def _own(reading: Reading, event: Event) -> Sequence[str]:
    project = reading.project_of(event)
    return (project,) if project else ()
