r"""The history of a run: every operation as invoke, then ok, fail or info. Checkers read nothing else.

    invoke ----> ok      it happened, with this result
          \----> fail    it certainly did not happen
           \---> info    unknown: a timeout, a lost connection, a 5xx

An invoke is on disk before its operation starts, so the history of a killed run shows what it was doing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO
from weakref import WeakKeyDictionary

from .clock import Clock
from .threads import current_task

INVOKE, OK, FAIL, INFO = "invoke", "ok", "fail", "info"
NEMESIS = "nemesis"
"""The caller of the operations that inject, verify and undo faults."""
INJECT, VERIFY, UNDO = "nemesis.inject", "nemesis.verify", "nemesis.undo"

_scenario: ContextVar[str] = ContextVar("scenario", default="")
_step: ContextVar[str] = ContextVar("step", default="")
_home: ContextVar[object] = ContextVar("home", default=None)
_by_chance: ContextVar[bool] = ContextVar("by_chance", default=False)


@contextmanager
def by_chance() -> Iterator[None]:
    """Whether and how often what is recorded inside happens depends on time: comparisons of runs ignore it."""
    token = _by_chance.set(True)
    try:
        yield
    finally:
        _by_chance.reset(token)


@dataclass(frozen=True)
class Event:
    """One line of the history."""

    index: int
    """Position in the history, from 0."""
    operation: int
    """The index of the invoke this event belongs to; an invoke's own index."""
    type: str
    """`invoke`, `ok`, `fail` or `info`."""
    name: str
    """The operation, for example `send_mail` or `ecs.UpdateService`."""
    caller: str
    """The caller: `kit`, `nemesis`, or a worker of the scenario."""
    scenario: str
    wall: float
    """Epoch seconds on this machine."""
    aws: float
    """Epoch seconds of AWS time."""
    touches: Mapping[str, str] = field(default_factory=dict)
    """The ids it concerns (session, task, message, marker …)."""
    value: Mapping[str, Any] = field(default_factory=dict)
    """The result."""
    error: str = ""
    step: str = ""
    """The scenario's step."""
    strand: int = 0
    """Strands ran concurrently; the operations of one ran in this order. 0 is the scenario's main task."""
    by_chance: bool = False
    """See `by_chance`."""


class Operation:
    """An operation in progress. By default it ends `ok` when its block does, and by the exception otherwise."""

    def __init__(self) -> None:
        self.type = ""
        self.value: dict[str, Any] = {}
        self.error = ""

    def ok(self, **value: Any) -> None:
        """It happened; `value` is the result."""
        self._complete(OK, value, "")

    def fail(self, error: object, **value: Any) -> None:
        """It certainly did not happen."""
        self._complete(FAIL, value, str(error))

    def info(self, error: object, **value: Any) -> None:
        """It is unknown whether it happened."""
        self._complete(INFO, value, str(error))

    def _complete(self, type: str, value: dict[str, Any], error: str) -> None:
        if self.type:
            raise RuntimeError(f"this operation was already recorded as {self.type}")
        self.type, self.value, self.error = type, value, error


class History:
    """Appends events to a JSONL file and keeps them in memory for the checkers. Safe under threads."""

    def __init__(self, clock: Clock, path: Path | None = None) -> None:
        self._clock = clock
        self.path = path
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self._file: TextIO | None = None
        self._strands: WeakKeyDictionary[object, int] = WeakKeyDictionary()
        self._last_strand = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def follow(self, clock: Clock) -> None:
        """Use this clock from now on: that of a cloud which has just started."""
        self._clock = clock

    @contextmanager
    def scenario(self, name: str) -> Iterator[None]:
        """Everything recorded inside, also by tasks started inside, belongs to this scenario."""
        token, home = _scenario.set(name), _home.set(current_task())
        try:
            yield
        finally:
            _home.reset(home)
            _scenario.reset(token)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Everything recorded inside, also by tasks started inside, belongs to this step."""
        token = _step.set(name)
        try:
            yield
        finally:
            _step.reset(token)

    @contextmanager
    def operation(self, name: str, *, caller: str = "kit", **touches: str) -> Iterator[Operation]:
        """Record one operation around the block that performs it."""
        began = Event(-1, -1, INVOKE, name, caller, _scenario.get(), 0.0, 0.0, dict(touches))
        invoke = self._append(replace(began, step=_step.get(), strand=self._strand(), by_chance=_by_chance.get()))
        operation = Operation()
        try:
            yield operation
        except BaseException as error:
            if not operation.type:
                operation._complete(FAIL if is_definite(error) else INFO, {}, f"{type(error).__name__}: {error}")
            raise
        else:
            if not operation.type:
                operation.ok()
        finally:
            self._append(replace(invoke, type=operation.type, value=operation.value, error=operation.error))

    def note(self, name: str, *, caller: str = "kit", value: Mapping[str, Any], **touches: str) -> None:
        """Record an observation: invoke and ok in one."""
        with self.operation(name, caller=caller, **touches) as operation:
            operation.ok(**value)

    def __len__(self) -> int:
        return len(self._events)

    def events(self, scenario: str | None = None, *, since: int = 0) -> list[Event]:
        """All events so far, or those of one scenario, in order; `since` is the index of the first to look at."""
        with self._lock:
            return [event for event in self._events[since:] if scenario is None or event.scenario == scenario]

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _strand(self) -> int:
        """0 in the task that runs the scenario, a unique number in every other task."""
        task = current_task()
        if task is None or task is _home.get():
            return 0
        with self._lock:
            if task not in self._strands:
                self._last_strand += 1
                self._strands[task] = self._last_strand
            return self._strands[task]

    def _append(self, event: Event) -> Event:
        """Set an event's index and times; an invoke is its own operation."""
        with self._lock:
            index, moment = len(self._events), self._clock.moment()
            placed = replace(
                event,
                index=index,
                operation=index if event.type == INVOKE else event.operation,
                wall=round(moment.wall, 6),
                aws=round(moment.aws, 6),
            )
            self._events.append(placed)
            if self._file is not None:
                self._file.write(json.dumps(_without_empty(placed), default=str) + "\n")
                self._file.flush()
            return placed


def _without_empty(event: Event) -> dict[str, Any]:
    optional = ("strand", "by_chance")
    return {
        name: value for name, value in vars(event).items() if (value if name in optional else value not in ("", {}))
    }


def is_definite(error: BaseException) -> bool:
    """Whether an exception proves that its operation did not happen.

    True for an AWS answer with a 4xx status and for an exception with the attribute `definite = True`.
    """
    if getattr(error, "definite", False):
        return True
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return False
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return 400 <= int(status) < 500


def read(path: Path) -> list[Event]:
    """The events of a history file. Skips a last line that a kill cut off."""
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            fields = json.loads(line)
        except ValueError:
            continue
        events.append(Event(**{"caller": "", "scenario": "", **fields}))
    return events
