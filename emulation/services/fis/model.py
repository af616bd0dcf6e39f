"""Experiment templates and experiments. All times are AWS time, epoch seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...time.clock import Clock

ENDED = frozenset({"completed", "stopped", "failed", "cancelled"})


@dataclass
class Template:
    id: str
    arn: str
    created: float
    definition: Mapping[str, Any]
    """The parameters of CreateExperimentTemplate."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Action:
    name: str
    definition: Mapping[str, Any]
    status: str = "pending"
    reason: str = "Action is pending"
    started: float | None = None
    ended: float | None = None

    @property
    def over(self) -> bool:
        return self.status in ("completed", "cancelled", "stopped", "failed", "skipped")


@dataclass
class Experiment:
    id: str
    arn: str
    template: Template
    created: float
    actions: dict[str, Action]
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "pending"
    reason: str = "Experiment is pending"
    error: Mapping[str, str] | None = None
    started: float | None = None
    ended: float | None = None
    targets: dict[str, list[str]] = field(default_factory=dict)
    """Resolved: the ARNs of each target."""
    halted: str = ""
    """Why it was stopped; empty before."""
    halt: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_for_halt(self, clock: Clock, seconds: float) -> None:
        """Wait until the experiment is stopped, at most this long."""
        with suppress(TimeoutError):
            async with clock.timeout(seconds):
                await self.halt.wait()

    def stop(self, why: str) -> None:
        if not self.halt.is_set():
            self.halted = why
            self.halt.set()


class ActionFailed(Exception):
    """An action failed; the message is its reason."""


class ExperimentFailed(Exception):
    """An experiment could not start; the message is its reason, `code` that of its error."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code
