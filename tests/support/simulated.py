"""A small sound system, simulated: people act at once, looks take time, faults come and go.

What happens is a list of moves that Hypothesis draws. Whatever they are, the system keeps its promises: the history is
sound, and so is every beginning of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.support.mixes import WITHIN, Recorder
from webordinary_testkit.kit.core.history import Event, Operation

PEOPLE = {"a": "acme/john/a", "b": "acme/john/b", "c": "acme/ann", "d": "acme/ann", "e": "beta/john/e"}
"""The project of each session of the plan; `c` and `d` share one."""
T = TypeVar("T")

IDLE = 400.0
_STEPS = (0.0, 0.5, 5.0, 40.0, 110.0)
"""AWS seconds that pass at once."""


@dataclass
class Session:
    id: str
    label: str
    last: float
    """AWS time of the last activity."""
    status: str = "initializing"
    under_way: list[Task] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in ("initializing", "active")

    def row(self) -> dict[str, Any]:
        if self.status == "gone":
            return {"status": "gone", "ttl": 0, "last_activity": 0}
        return {"status": self.status, "ttl": int(self.last) + 1800, "last_activity": int(self.last * 1000)}


@dataclass
class Task:
    """An instruction from when it is given."""

    session: Session
    marker: str
    page: str
    message: str
    """Empty for one that came by HTTP."""
    given: float
    asked: Under | None
    """Its operation, until it ended."""
    carried_out: bool = False


class Under:
    """An operation under way."""

    def __init__(
        self, block: AbstractContextManager[Operation], seen: Callable[[], dict[str, Any]], late: bool
    ) -> None:
        """`seen` is asked at the beginning, or at the end if it is late."""
        self._block = block
        self._operation = block.__enter__()
        self._seen = seen
        self._value = None if late else seen()

    def end(self, type: str = "ok") -> None:
        value = self._seen() if self._value is None else self._value
        if type == "ok":
            self._operation.ok(**value)
        else:
            getattr(self._operation, type)(type)
        self._block.__exit__(None, None, None)


class Simulated:
    """The system, and what a performance records of it."""

    def __init__(self) -> None:
        self.recorder = Recorder(idle=IDLE, most_replies=1000)
        self.recorder.plan(**PEOPLE)
        self.sessions: list[Session] = []
        self.current: dict[str, Session] = {}
        self.tasks: list[Task] = []
        self.commits: dict[str, list[dict[str, Any]]] = {project: [] for project in PEOPLE.values()}
        self.pages: dict[tuple[str, str], str] = {}
        """The marker on each page of a project."""
        self.outbox: list[tuple[Task, float]] = []
        """Replies that were sent, and when."""
        self.looks: list[Under] = []
        self.faulty = False
        self.healed = 0.0
        self.desired = 0
        self.faults = 0

    @property
    def now(self) -> float:
        return self.recorder.clock.now()

    @property
    def waiting(self) -> list[Task]:
        """What is not done yet, in no order that must be kept."""
        return [task for session in self.sessions for task in session.under_way]

    # ---- People
    def give(self, which: int, how: int) -> None:
        label = "abcde"[which % 5]
        session = self.current.get(label)
        if session is None or not session.is_open:
            session = self.current[label] = Session(f"s{len(self.sessions)}", label, self.now)
            self.sessions.append(session)
        marker, project = f"m{len(self.tasks):03}", PEOPLE[label]
        message = f"<{marker}@x>" if how % 3 else ""
        page = "home" if how % 2 else f"page-{marker}"
        about = {"session": label, "marker": marker, "project": project, "kind": "mail" if message else "http"}
        asked = self.recorder.history.operation("mix.instruct", page=page, user=user_of(project), **about)
        value = {"message": message} if message else {}
        task = Task(session, marker, page, message, self.now, Under(asked, lambda: value, late=True))
        self.tasks.append(task)
        session.under_way.append(task)

    def answer(self, which: int, how: int) -> None:
        """An instruction is accepted, refused, or it is not known whether; what is refused never happens."""
        if task := chosen([task for task in self.tasks if task.asked], which):
            type = ("ok", "ok", "ok", "info", "info", "fail")[how % 6]
            untouched = not task.carried_out and task in task.session.under_way
            if type == "fail" and not untouched:
                type = "ok"
            if (type == "fail" or (type == "info" and how % 2)) and untouched:
                task.session.under_way.remove(task)
            assert task.asked is not None
            task.asked.end(type)
            task.asked, task.given = None, self.now

    def keepalive(self, which: int, how: int) -> None:
        if session := chosen([session for session in self.sessions if session.is_open], which):
            session.last = self.now

    def end(self, which: int, how: int) -> None:
        if session := chosen([session for session in self.sessions if session.is_open], which):
            type = ("ok", "info", "info", "fail")[how % 4]
            about = {"session": session.label, "session_id": session.id, "cause": "deactivate"}
            ended = Under(self.recorder.history.operation("mix.end", **about), dict, late=True)
            if how % 4 < 2:
                session.status = "draining"
            ended.end(type)

    # ---- The system
    def work(self, which: int, how: int) -> None:
        if task := chosen([task for task in self.waiting if not task.carried_out], which):
            session, project = task.session, PEOPLE[task.session.label]
            self.commits[project].append({"id": f"c{task.marker}", "markers": [task.marker]})
            self.pages[project, task.page] = task.marker
            task.carried_out = True
            session.last = self.now
            if session.is_open:
                session.status = "active"
            if not task.message:
                session.under_way.remove(task)

    def reply(self, which: int, how: int) -> None:
        if task := chosen([task for task in self.waiting if task.carried_out], which):
            task.session.under_way.remove(task)
            self.outbox.append((task, self.now))

    def receive(self, which: int, how: int) -> None:
        if delivered := chosen(self.outbox, which):
            self.outbox.remove(delivered)
            task, sent = delivered
            label = task.session.label
            about = {"user": user_of(PEOPLE[label]), "message": task.message}
            self.recorder.history.note("reply", value={"sent": sent}, **about)
            value = {"markers": [task.marker], "sent": sent}
            self.recorder.history.note("mix.reply", value=value, session=label, **about)

    def expire(self, which: int, how: int) -> None:
        if session := chosen([session for session in self.sessions if session.status != "gone"], which):
            if session.status == "expired":
                if self.now > session.last + 1800:
                    session.status = "gone"
            elif not session.under_way and (session.status == "draining" or self.now >= session.last + IDLE):
                session.status = "expired"

    def scale(self, which: int, how: int) -> None:
        needed = any(session.is_open for session in self.sessions) and not self.faulty
        self.desired = max(int(needed), how % 3)

    def fault(self, which: int, how: int) -> None:
        name = "nemesis.undo" if self.faulty else "nemesis.inject"
        self.faults += not self.faulty
        about = {"injection": str(self.faults), "fault": "StopTask", "target": "edit"}
        self.recorder.history.note(name, value={}, **about)
        self.faulty, self.healed = not self.faulty, self.now

    def wait(self, which: int, how: int) -> None:
        """Time passes; what would be too late then is done now, unless a fault is in effect."""
        seconds = _STEPS[how % len(_STEPS)]
        if self.faulty:
            seconds *= 4
        else:
            if seconds > 100 and any(session.is_open for session in self.sessions):
                self.desired = max(1, self.desired)
            self._keep_promises(self.now + seconds + 1 - WITHIN)
        self.recorder.later(seconds)

    def _keep_promises(self, given_until: float) -> None:
        for task in self.waiting:
            if max(task.given, self.healed) <= given_until:
                if not task.carried_out:
                    self.work(self._place(task), 0)
                if task.message:
                    self.outbox.append((task, self.now))
                    task.session.under_way.remove(task)
        while late := [task for task in self.outbox if max(task[0].given, self.healed) <= given_until]:
            self.receive(self.outbox.index(late[0]), 0)

    def _place(self, task: Task) -> int:
        return [each for each in self.waiting if not each.carried_out].index(task)

    # ---- Looks
    def look(self, which: int, how: int) -> None:
        """Begin a look; what it sees is from its beginning or from its end."""
        if session := chosen(self.sessions, which):
            kind = ("preview", "preview", "files", "history", "hot_reload", "logs", "row", "commits")[how % 8]
            self.looks.append(self._look(session, kind, late=bool(how // 8 % 2), other=how // 16))

    def seen(self, which: int, how: int) -> None:
        if look := chosen(self.looks, which):
            self.looks.remove(look)
            look.end()

    def count(self, which: int, how: int) -> None:
        self.recorder.counts(min(self.desired, how % 3), self.desired)

    def _look(self, session: Session, kind: str, *, late: bool, other: int = 0) -> Under:
        label, project = session.label, PEOPLE[session.label]
        name = f"mix.{kind}" if kind in ("row", "commits") else "mix.saw"
        about = {"session": label, "session_id": session.id, "project": project}
        if name == "mix.saw":
            about["place"] = kind
        if kind in ("files", "history"):
            about["project"] = project = "/".join(project.split("/")[:2])
        pages = sorted({task.page for task in self.tasks if PEOPLE[task.session.label] == project})
        page = pages[other % len(pages)] if pages else "home"
        see: Mapping[str, Callable[[], dict[str, Any]]] = {
            "preview": lambda: self._preview(project, page),
            "row": session.row,
            "commits": lambda: {"commits": list(self.commits[project])},
            "logs": lambda: {"markers": [t.marker for t in self.tasks if PEOPLE[t.session.label] == project]},
        }
        seen = see.get(kind, lambda: {"markers": self._written(project)})
        return Under(self.recorder.history.operation(name, **about), seen, late=late)

    def _preview(self, project: str, page: str) -> dict[str, Any]:
        marker = self.pages.get((project, page))
        return {"markers": [marker] if marker else [], "status": 200 if marker else 404, "page": page}

    def _written(self, project: str) -> list[str]:
        """The markers of all commits of a person or project."""
        of = [name for name in self.commits if name == project or name.startswith(f"{project}/")]
        return sorted(commit["markers"][0] for name in of for commit in self.commits[name])

    # ---- The end
    def finish(self) -> None:
        """Two more mails, one after the other; then everything is done, looked at, and over."""
        if self.faulty:
            self.fault(0, 0)
        if self.faults:
            self.recorder.history.note("mix.healed", value={})
        for _ in range(2):
            self.give(0, 2)
            while under_way := [task for task in self.tasks if task.asked]:
                self.answer(len(under_way) - 1, 0)
            self._keep_promises(self.now)
        while self.looks:
            self.seen(0, 0)
        for session in self.sessions:
            for place in ("files", "history", "row", "commits"):
                self._look(session, place, late=False).end()
            for page in range(len(self.tasks)):
                self._look(session, "preview", late=False, other=page).end()
        self.recorder.later(IDLE + 1)
        for session in self.sessions:
            if session.status != "gone":
                session.status = "expired"
            self._look(session, "row", late=False).end()
        self.recorder.quiet()

    def events(self) -> list[Event]:
        return self.recorder.events()


MOVES = (
    *("give", "give", "answer", "answer", "work", "work", "reply", "receive", "wait", "look", "look", "seen", "seen"),
    *("keepalive", "end", "expire", "scale", "count", "fault"),
)
Move = tuple[str, int, int]
moves = st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 9), st.integers(0, 95)), max_size=60)
"""A move, what it concerns, and how it is made."""


def simulated(made: Sequence[Move], *, finished: bool = True) -> Simulated:
    """The system after these moves."""
    system = Simulated()
    for name, which, how in made:
        getattr(system, name)(which, how)
    if finished:
        system.finish()
    return system


def user_of(project: str) -> str:
    return f"{project.split('/')[1]}@x"


def chosen(among: Sequence[T], which: int) -> T | None:
    return among[which % len(among)] if among else None
