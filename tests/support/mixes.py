"""Histories of mixes, written by hand or generated: sound ones, and ones with a planted violation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.kit import ManualClock
from webordinary_testkit.kit.core.checkers import Checker
from webordinary_testkit.kit.core.history import Event, History
from webordinary_testkit.kit.core.verdict import Verdict

IDLE = 60.0
WITHIN = 300.0


@dataclass
class Page:
    marker: str
    project: str
    session: str
    message: str
    commit: str
    accepted: bool = True


@dataclass
class Recorder:
    """Records what a performance records, on a clock that a test moves."""

    clock: ManualClock = field(default_factory=ManualClock)
    sessions: dict[str, str] = field(default_factory=dict)
    """The project of each session, for the plan."""
    most_replies: int = 20
    idle: float = IDLE

    def __post_init__(self) -> None:
        self.history = History(self.clock)

    def later(self, seconds: float) -> None:
        """Let AWS seconds pass."""
        self.clock.passed[0] += seconds

    def plan(self, **sessions: str) -> None:
        self.sessions = sessions
        planned = {name: {"client": "c", "user": "u", "project": project} for name, project in sessions.items()}
        value = {
            "mix": {},
            "sessions": planned,
            "idle": self.idle,
            "max_tasks": 2,
            "reply_within": WITHIN,
            "shown_within": WITHIN,
            "most_replies": self.most_replies,
        }
        self.history.note("mix.plan", value=value)

    def instruct(self, session: str, marker: str, *, end: str = "ok", message: str = "", **touches: str) -> Page:
        project = self.sessions[session]
        kind = "mail" if message else "http"
        about = {"session": session, "marker": marker, "project": project, "kind": kind, **touches}
        with self.history.operation("mix.instruct", **about) as operation:
            if end == "ok":
                operation.ok(**({"message": message} if message else {}))
            else:
                getattr(operation, end)("refused" if end == "fail" else "lost")
        return Page(marker, project, session, message, f"c{marker}", end == "ok")

    def reply(self, page: Page, *, sent: float | None = None, markers: Sequence[str] = (), user: str = "you@x") -> None:
        at = self.clock.now() if sent is None else sent
        self.history.note("reply", value={"sent": at}, message=page.message, user=user)
        value = {"markers": list(markers) or [page.marker], "sent": at}
        self.history.note("mix.reply", value=value, session=page.session, user=user, message=page.message)

    def saw(self, session: str, *markers: str, place: str = "preview", **value: Any) -> None:
        touches = {"place": place, "session": session, "project": self.sessions[session], "session_id": f"s-{session}"}
        status = {"status": 200} if place == "preview" else {}
        self.history.note("mix.saw", value={"markers": list(markers), **status, **value}, **touches)

    def commits(self, session: str, *commits: tuple[str, Sequence[str]]) -> None:
        value = {"commits": [{"id": id, "markers": list(markers)} for id, markers in commits]}
        self.history.note("mix.commits", value=value, session=session, project=self.sessions[session])

    def row(self, session: str, status: str, *, idle_for: float = 0.0, ttl: int | None = None) -> None:
        last = self.clock.now() - idle_for
        value = {"status": status, "ttl": int(last) + 1800 if ttl is None else ttl, "last_activity": int(last * 1000)}
        self.history.note("mix.row", value=value, session=session, session_id=f"s-{session}")

    def end(self, session: str) -> None:
        touches = {"session": session, "session_id": f"s-{session}", "cause": "deactivate"}
        with self.history.operation("mix.end", **touches):
            pass

    def fault(self, name: str) -> None:
        """A fault is injected, or undone."""
        self.history.note(name, value={}, injection="1", fault="StopTask", target="edit")

    def counts(self, running: int, desired: int | None = None) -> None:
        value = {"running": running, "desired": running if desired is None else desired}
        self.history.note("mix.counts", value=value)

    def quiet(self, **left: int) -> None:
        nothing = dict.fromkeys(("tasks", "queued", "dead_letters", "open_sessions", "locks", "orphans"), 0)
        self.history.note("mix.quiet", value={**nothing, **left})

    def events(self) -> list[Event]:
        return self.history.events()


def sound(seed: int, sessions: int, rounds: int) -> tuple[Recorder, list[Page]]:
    """A sound performance: sessions that write pages in turns, by mail or HTTP, some ended and some left idle, and one
    that does nothing; and the pages that were accepted."""
    chance = random.Random(seed)
    recorder = Recorder()
    names = [chr(ord("a") + number) for number in range(sessions)]
    projects = {name: f"acme/{chance.choice(['john', 'ann'])}/{name}" for name in names}
    recorder.plan(**projects, idler="beta/eve/idler")
    done: dict[str, list[Page]] = {name: [] for name in names}
    waiting: list[Page] = []
    for number in range(rounds):
        name = chance.choice(names)
        message = f"<{number}@x>" if chance.random() < 0.7 else ""
        end = chance.choices(["ok", "info", "fail"], [20, 1, 1])[0]
        page = recorder.instruct(name, f"m{number:04}", end=end, message=message)
        recorder.later(chance.choice([0.0, 1.0, 5.0]))
        carried_out = end == "ok" or (end == "info" and chance.random() < 0.5)
        if carried_out:
            done[name].append(page)
            if end == "ok" and message:
                waiting.append(page)
        while waiting and chance.random() < 0.8:
            recorder.reply(waiting.pop(0))
        if done[name]:
            recorder.row(name, chance.choice(["initializing", "active"]))
            page = chance.choice(done[name])
            recorder.saw(name, page.marker, page=page.marker)
            recorder.saw(name, *[each.marker for each in done[name]], place="history")
        recorder.counts(chance.choice([1, 2]))
    for page in waiting:
        recorder.reply(page)
    for name in names:
        recorder.commits(name, *[(page.commit, [page.marker]) for page in done[name]])
        if not done[name]:
            continue
        if chance.random() < 0.5:
            recorder.end(name)
            recorder.row(name, "draining")
            recorder.row(name, "expired")
        else:
            recorder.later(IDLE + 5)
            recorder.row(name, "expired", idle_for=IDLE + 5)
    recorder.quiet()
    return recorder, [page for pages in done.values() for page in pages if page.accepted]


def two_sessions() -> tuple[Recorder, Page, Page]:
    """Two sessions of two people, each with one page that was asked for by mail and answered."""
    recorder = Recorder()
    recorder.plan(a="acme/john/a", b="acme/ann/b")
    pages = [recorder.instruct(name, f"m{name}", message=f"<{name}>") for name in ("a", "b")]
    for page in pages:
        recorder.reply(page)
        recorder.commits(page.session, (page.commit, [page.marker]))
    return recorder, pages[0], pages[1]


def found(checker: Checker, recorder: Recorder, message: str) -> None:
    """The checker finds a violation with this message, and shows it by events of the history."""
    finding = checker(recorder.events())
    assert finding.verdict is Verdict.FAIL
    assert message in finding.message
    assert finding.witness
    assert all(event in recorder.events() for event in finding.witness)
