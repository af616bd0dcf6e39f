"""Experiment templates and experiments as they are. All times are AWS time, epoch seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENDED = frozenset({"completed", "stopped", "failed", "cancelled"})


@dataclass
class Template:
    id: str
    arn: str
    created: float
    wanted: Mapping[str, Any]
    """What CreateExperimentTemplate was given."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Action:
    name: str
    wanted: Mapping[str, Any]
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
    """Why it is to be stopped; empty while it is not."""
    halt: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self, why: str) -> None:
        if not self.halt.is_set():
            self.halted = why
            self.halt.set()


class ActionFailed(Exception):
    """An action could not do its work: the text is its reason."""


class ExperimentFailed(Exception):
    """An experiment could not begin: the text is its reason, the code that of its error."""

    def __init__(self, reason: str, code: str) -> None:
        super().__init__(reason)
        self.code = code
