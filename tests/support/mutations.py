"""Mutations of a sound history: kinds of violations, each with the name of the checker that must find it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.support.mixes import WITHIN
from tests.support.simulated import IDLE, PEOPLE, Simulated
from webordinary_testkit.kit.core.history import FAIL, INVOKE, OK, Event

_NEW = 1_000_000
"""The first index of events that are inserted, before they are numbered anew."""
_NOBODY = {"session": "a", "session_id": "other"}
"""A session that the system does not have."""


class History:
    """A finished history that a mutation changes. Its last two mails are of one project, one after the other."""

    def __init__(self, system: Simulated, pick: int) -> None:
        self.events = system.events()
        self.first, self.second = system.tasks[-2:]
        accepted = {event.operation for event in self.events if event.name == "mix.instruct" and event.type == OK}
        mails = [event for event in self.events if event.index in accepted and event.touches["kind"] == "mail"]
        self.victim = mails[pick % len(mails)]
        """The invoke of an accepted mail."""
        self.marker, self.project = self.victim.touches["marker"], self.victim.touches["project"]
        self.message = f"<{self.marker}@x>"
        self.other = "e" if self.project != PEOPLE["e"] else "c"
        """A session of another person."""

    @property
    def now(self) -> float:
        return self.events[-1].aws

    def add(self, name: str, value: Mapping[str, Any], *, later: float = 0.0, **touches: str) -> None:
        """Record a note at the end."""
        index, aws = _NEW + len(self.events), self.now + later
        invoke = Event(index, index, INVOKE, name, "kit", "", aws, aws, touches)
        self.events += [invoke, replace(invoke, index=index + 1, type=OK, value=value)]

    def add_row(self, status: str, *, later: float = 0.0, ttl: float = 1e10, last: float | None = None) -> None:
        last = self.now + later if last is None else last
        value = {"status": status, "ttl": ttl, "last_activity": int(last * 1000)}
        self.add("mix.row", value, later=later, **_NOBODY)

    def change(self, name: str, change: Callable[[Event], Event], **touches: str) -> None:
        """Change the events of a name that have these touches and ended."""
        found = [event for event in self._of(name, touches) if event.type != INVOKE]
        assert found, f"no {name} with {touches}"
        changed = {event.index: change(event) for event in found}
        self.events = [changed.get(event.index, event) for event in self.events]

    def drop(self, name: str, **touches: str) -> None:
        gone = {event.operation for event in self._of(name, touches)}
        assert gone, f"no {name} with {touches}"
        self.events = [event for event in self.events if event.operation not in gone]

    def last(self, name: str, **touches: str) -> Event:
        return [event for event in self._of(name, touches) if event.type == OK][-1]

    def numbered(self) -> list[Event]:
        """The events, numbered by their places."""
        place = {event.index: at for at, event in enumerate(self.events)}
        return [replace(e, index=at, operation=place[e.operation]) for at, e in enumerate(self.events)]

    def _of(self, name: str, touches: Mapping[str, str]) -> Iterator[Event]:
        return (event for event in self.events if event.name == name and touches.items() <= event.touches.items())


Mutation = Callable[[History], None]


# ---- isolation
def surfaces(place: str) -> Mutation:
    def mutate(h: History) -> None:
        h.add("mix.saw", {"markers": [h.marker]}, place=place, session=h.other, project=PEOPLE[h.other])

    return mutate


def committed_elsewhere(h: History) -> None:
    h.add("mix.commits", {"commits": [{"id": "x", "markers": [h.marker]}]}, project=PEOPLE[h.other], session=h.other)


def in_the_reply_of_another(h: History) -> None:
    h.add("mix.reply", {"markers": [h.marker], "sent": h.now}, session=h.other, user="eve@x", message="<?>")


def reply_to_another(h: History) -> None:
    h.change("reply", lambda e: replace(e, touches={**e.touches, "user": "eve@x"}), message=h.message)


def of_an_earlier_mix(h: History) -> None:
    h.add("mix.saw", {"markers": ["earlier"]}, place="preview", session="a", project=h.project)


# ---- exactly_once
def second_commit(h: History) -> None:
    commits = h.last("mix.commits", project=h.project).value["commits"]
    h.add("mix.commits", {"commits": [*commits, {"id": "x", "markers": [h.marker]}]}, project=h.project, session="a")


def no_commit(h: History) -> None:
    for name in ("mix.commits", "mix.saw"):
        h.change(name, lambda event: without(event, h.marker))


def second_reply(h: History) -> None:
    reply = h.last("reply", message=h.message)
    h.add("reply", reply.value, **reply.touches)


def committed_though_refused(h: History) -> None:
    h.change("mix.instruct", lambda event: replace(event, type=FAIL, value={}), marker=h.marker)


def without(event: Event, marker: str) -> Event:
    value = dict(event.value)
    if "commits" in value:
        value["commits"] = [commit for commit in value["commits"] if marker not in commit["markers"]]
    else:
        value["markers"] = [each for each in value["markers"] if each != marker]
    return replace(event, value=value)


# ---- order, sticky_reads
def commits_swapped(h: History) -> None:
    pair = [[h.first.marker], [h.second.marker]]

    def swapped(event: Event) -> Event:
        *rest, one, other = event.value["commits"]
        return replace(event, value={"commits": [*rest, other, one]})

    def has_pair(event: Event) -> bool:
        return [commit["markers"] for commit in event.value["commits"][-2:]] == pair

    h.change("mix.commits", lambda event: swapped(event) if has_pair(event) else event)


def commit_gone(h: History) -> None:
    look = without(h.last("mix.commits", project=h.project), h.marker)
    h.add("mix.commits", look.value, **look.touches)


def branch_empty(h: History) -> None:
    h.add("mix.commits", {"commits": []}, session="a", project=h.project)


def page_lost(status: int) -> Mutation:
    def mutate(h: History) -> None:
        about = {"place": "preview", "session_id": h.second.session.id, "session": "a", "project": PEOPLE["a"]}
        h.add("mix.saw", {"markers": [], "status": status, "page": h.second.page}, **about)

    return mutate


# ---- legal_life
def comes_back(h: History) -> None:
    h.add_row("expired", last=h.now - IDLE)
    h.add_row("active")


def goes_back(name: str) -> Mutation:
    def mutate(h: History) -> None:
        value = {"status": "active", "ttl": 10**10, "last_activity": int(h.now * 1000)}
        h.add("mix.row", value, **_NOBODY)
        h.add("mix.row", {**value, name: value[name] - 1}, **_NOBODY)  # type: ignore[operator]

    return mutate


def drained_by_another(h: History) -> None:
    h.add("mix.end", {}, session="e", session_id="another")
    h.add_row("draining")


def expired_early(h: History) -> None:
    h.add_row("expired", last=h.now - IDLE / 2)


def deleted_early(h: History) -> None:
    h.add_row("active", ttl=h.now + 100)
    h.add_row("gone", later=99)


def unknown_status(h: History) -> None:
    h.add_row("asleep")


def twice_open(h: History) -> None:
    h.add("mix.open", {"sessions": ["one", "two"]}, session="a")


# ---- liveness, mail_loop, capacity, quiet_end
def no_reply(h: History) -> None:
    h.drop("reply", message=h.message)
    h.add("x", {}, later=WITHIN)


def late_reply(h: History) -> None:
    h.change("reply", lambda event: replace(event, value={"sent": h.now + WITHIN + 1}), message=h.message)


def robot_answered_for_ever(h: History) -> None:
    h.change("mix.plan", lambda event: replace(event, value={**event.value, "most_replies": 1}))
    robots = {h.first.marker, h.second.marker}
    h.events = [
        replace(event, touches={**event.touches, "robot": "yes"}) if event.touches.get("marker") in robots else event
        for event in h.events
    ]


def tasks(running: int, desired: int) -> Mutation:
    return lambda h: h.add("mix.counts", {"running": running, "desired": desired})


def starved(h: History) -> None:
    for _ in range(2):
        h.add_row("active", later=121.0)
        h.add("mix.counts", {"running": 0, "desired": 0})


def left(what: str) -> Mutation:
    return lambda h: h.change("mix.quiet", lambda event: replace(event, value={**event.value, what: 1}))


MUTATIONS: Mapping[str, Sequence[Mutation]] = {
    "isolation": [
        *map(surfaces, ("files", "history", "preview", "hot_reload", "row", "logs", "metrics")),
        *(committed_elsewhere, in_the_reply_of_another, reply_to_another, of_an_earlier_mix),
    ],
    "exactly_once": [second_commit, no_commit, second_reply, committed_though_refused],
    "order": [commits_swapped, commit_gone, branch_empty],
    "sticky_reads": [page_lost(200), page_lost(404)],
    "legal_life": [
        *(comes_back, goes_back("ttl"), goes_back("last_activity"), drained_by_another, expired_early),
        *(deleted_early, unknown_status, twice_open),
    ],
    "liveness": [no_reply, late_reply],
    "mail_loop": [robot_answered_for_ever],
    "capacity": [tasks(3, 1), tasks(1, 3), starved],
    "quiet_end": list(map(left, ("tasks", "queued", "dead_letters", "open_sessions", "locks", "orphans"))),
}
"""By the name of the checker that must find them."""
