"""The phases of a mail's journey, with the times at which they were observed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..core.clock import Clock, iso

MAIL_ACCEPTED = "mail accepted"
SESSION_ACCEPTED = "session accepted"
MESSAGE_RECEIVED = "message received"
SESSION_ROW = "session row"
TASK_PENDING = "task pending"
TASK_RUNNING = "task running"
PROCESS_ALIVE = "process alive"
PORT_OPEN = "port open"
TARGET_HEALTHY = "target healthy"
PAGE_SERVED = "page served"
SESSION_ACTIVE = "session active"
FIRST_BYTE = "first byte"
CHANGE_VISIBLE = "change visible"
REPLY = "reply"
ZERO_TASKS = "zero tasks"


@dataclass(frozen=True)
class Phase:
    """A phase reached at `at` (AWS epoch seconds), according to `source`."""

    name: str
    at: float
    source: str


@dataclass
class Timeline:
    """The phases of one journey, counted from `started` (AWS epoch seconds)."""

    clock: Clock
    entry: str = ""
    """How the journey began, when a scenario makes several: `mail` or `http`."""
    started: float = 0.0
    phases: list[Phase] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.started = self.started or self.clock.now()

    def mark(self, name: str, source: str, at: float | None = None) -> None:
        """Record a phase, reached now or at the AWS time `at`. Only the first mark of a phase counts."""
        if self.at(name) is None:
            self.phases.append(Phase(name, self.clock.now() if at is None else at, source))

    def at(self, name: str) -> float | None:
        """The AWS time of a phase; None when it was not reached."""
        return next((phase.at for phase in self.phases if phase.name == name), None)

    def to_json(self) -> list[dict[str, Any]]:
        """One object per phase in chronological order; seconds count from the journey's start."""
        return [self._entry(phase) for phase in sorted(self.phases, key=lambda phase: phase.at)]

    def _entry(self, phase: Phase) -> dict[str, Any]:
        """Times of this machine only where they follow from AWS time."""
        wall = self.clock.to_wall(phase.at)
        seconds = phase.at - self.started
        return {
            "name": phase.name,
            **({"entry": self.entry} if self.entry else {}),
            "at": iso(phase.at),
            **({} if wall is None else {"wall_at": iso(wall)}),
            "aws_seconds": round(seconds, 3),
            **({} if wall is None else {"seconds": round(seconds / self.clock.scale, 3)}),
            "source": phase.source,
        }
