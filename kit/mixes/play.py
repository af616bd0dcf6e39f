"""A mix under way: its names made unique, its markers, and what is recorded of it for the checkers.

The vocabulary of the history, beside the harness's own operations:

    mix.plan       once, first: the mix and its sessions
    mix.instruct   an instruction that writes a marker; ok when it was accepted
    mix.reply      a reply and the markers in it
    mix.saw        one place that was looked at, and the markers there
    mix.commits    the commits of a project's branch, oldest first
    mix.row        a session's row
    mix.open       several sessions of a thread that take work
    mix.end        the end of a session
    mix.counts     the tasks of the edit service
    mix.healed     the last fault was undone
    mix.quiet      what is left at the end

The project of a strand is `client/user`, and `client/user/strand` where its work is apart from the person's other work.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..core.history import Operation
from ..core.ids import LETTERS
from ..harness import Harness
from .mix import Action, Mix, name_of

_WORD = re.compile(rf"[{LETTERS}][a-z2-9]{{7}}")
NO_FAULT = "-"


class Markers:
    """All markers of an exploration: a marker of an earlier mix is as foreign as one of a neighbour."""

    def __init__(self) -> None:
        self.all: dict[str, str] = {}
        """The label of its action in its mix, by marker."""

    def found_in(self, text: str) -> list[str]:
        """The markers in a text, each once, sorted."""
        # A marker may be part of a longer word, so every position counts.
        words = {text[at : at + 8] for at in range(len(text) - 7)} if len(text) < 64 else _windows(text)
        return sorted(words & self.all.keys())


class Play:
    """One performance of a mix on a cloud."""

    def __init__(self, mix: Mix, harness: Harness, markers: Markers) -> None:
        self.mix = mix
        self.h = harness
        self.token = harness.new_marker()
        """Part of every name of this performance: none meets a name of another one."""
        self.markers = markers
        self.marker_of: dict[str, str] = {}
        """The marker of each action that writes one, by its label."""
        self.state: Any = None
        """The subject's own state of this performance."""
        self.faults: Counter[str] = Counter()
        """The faults in effect now."""
        self.coverage: Counter[tuple[str, str, str]] = Counter()
        """How often an action met a state and a fault."""

    # ---- Names
    def client(self, strand: int) -> str:
        """The client id of a strand's person."""
        return f"{self.mix.person_of(strand).client}-{self.token}"

    def user(self, strand: int) -> str:
        """The local part of a strand's person, and the name of its domain or an empty string."""
        local, _, domain = self.mix.person_of(strand).user.partition("@")
        return f"{local}-{self.token}@{domain}" if domain else f"{local}-{self.token}"

    def new_marker(self, label: str) -> str:
        marker = self.h.new_marker()
        self.marker_of[label] = marker
        self.markers.all[marker] = label
        return marker

    # ---- The history
    def plan(self, projects: Mapping[int, str], **facts: Any) -> None:
        """Record the mix, the project of each strand, and what checkers must know of the system; once, at first."""
        sessions = {
            name_of(strand): {"client": self.client(strand), "user": self.user(strand), "project": project}
            for strand, project in projects.items()
        }
        self.note("mix.plan", {"mix": self.mix.to_json(), "sessions": sessions, **facts})

    @contextmanager
    def instruct(self, strand: int, kind: str, marker: str, *, project: str, **touches: str) -> Iterator[Operation]:
        """Record an instruction around the block that gives it."""
        with self.h.history.operation(
            "mix.instruct",
            session=name_of(strand),
            marker=marker,
            project=project,
            kind=kind,
            **touches,
        ) as operation:
            yield operation

    def saw(
        self, place: str, strand: int, text: str | Iterable[str], *, project: str, session_id: str = "", **value: Any
    ) -> None:
        """Record the markers in a text, or these markers, of one place that belongs to a strand."""
        found = self.markers.found_in(text) if isinstance(text, str) else sorted(text)
        self.note(
            "mix.saw",
            {"markers": found, **value},
            place=place,
            session=name_of(strand),
            project=project,
            **({"session_id": session_id} if session_id else {}),
        )

    def note(self, name: str, value: dict[str, Any], **touches: str) -> None:
        self.h.history.note(name, value=value, **touches)

    def met(self, action: Action, state: str) -> None:
        """Count an action in the state of its session, under every fault in effect."""
        for fault in [kind for kind, number in self.faults.items() if number > 0] or [NO_FAULT]:
            self.coverage[action.kind, state, fault] += 1


def _windows(text: str) -> set[str]:
    """Every run of 8 characters that could be a marker."""
    found = set()
    at = 0
    while match := _WORD.search(text, at):
        found.add(match[0])
        at = match.start() + 1
    return found
