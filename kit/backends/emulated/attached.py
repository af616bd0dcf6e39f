"""An emulated cloud that somebody else runs, with the stack deployed: found out from its endpoint, used, and left.

What it tells at `/_emulation/status` is its readiness line; its stack's outputs tell the rest.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...aws.client import Aws
from ...aws.outputs import Stack, outputs_of
from ...core.clock import Clock
from ...core.errors import UsageError, WaitExpired
from ...core.eventually import NotYet, eventually
from ...core.history import History
from ...core.threads import Threads
from ...settings import Settings
from ..capability import FAULT_PAUSE, Level
from ..interface import Cloud
from .backend import CAPABILITIES, Readiness, cloud_at

_ELSEWHERE: Mapping[str, Level] = {**CAPABILITIES, FAULT_PAUSE: Level.ABSENT}
"""A pause shows at the task's own port, which only the cloud's own machine (or container) reaches."""
_ANSWERS_WITHIN = 10.0
"""Wall seconds."""


class AttachedBackend:
    """A `Backend` that starts nothing and takes nothing away."""

    name = "emulated"

    def __init__(self, settings: Settings, history: History) -> None:
        self._settings = settings
        self._endpoint = settings.emulated.endpoint.rstrip("/")
        self._history = history
        self._threads = Threads()
        self._aws: Aws | None = None
        self._let_go = False

    def capabilities(self) -> Mapping[str, Level]:
        try:
            return _capabilities(_status(self._endpoint))
        except UsageError:  # it is still coming up; what it can do is told again when it has
            return _ELSEWHERE

    async def start(self) -> Cloud:
        """Waits for a cloud that is coming up. Raises `UsageError` when within `emulated.start_within` none answers
        there, or the stack is not deployed."""
        settings = self._settings
        last: UsageError | None = None

        async def looked() -> tuple[Readiness, Stack] | None:
            nonlocal last
            try:
                return await self._look()
            except UsageError as error:
                last = error
                raise NotYet(error.what) from None

        try:
            found = await eventually(
                looked, within=settings.emulated.start_within, clock=Clock(), describe=f"the cloud at {self._endpoint}"
            )
        except WaitExpired:
            assert last is not None
            raise last from None
        assert found is not None and self._aws is not None
        ready, stack = found
        cloud = cloud_at(ready, stack, self._aws, allowance=settings.emulated.allowance)
        return replace(cloud, capabilities=_capabilities({"workdir": ready.workdir}))

    async def health(self) -> str | None:
        if self._let_go:
            return "the cloud was let go"
        try:
            await self._threads.run(_status, self._endpoint)
        except UsageError as error:
            return error.what
        return None

    async def faults(self) -> list[str]:
        """Its log is elsewhere."""
        return []

    async def stop(self, *, keep: bool = False) -> None:
        self._let_go = True
        if self._aws is not None:
            self._aws.close()
        self._threads.close()

    async def _look(self) -> tuple[Readiness, Stack]:
        """The cloud and its stack as they are now. Raises `UsageError` for what is not there."""
        ready = reached_at(self._endpoint, await self._threads.run(_status, self._endpoint))
        if self._aws is None:
            self._history.follow(ready.clock(self._settings.emulated.allowance))
            self._aws = Aws(ready.access(), self._threads, self._history)
        name = self._settings.stack.name
        try:
            answer: dict[str, Any] = await self._aws.call("cloudformation", "describe_stacks", StackName=name)
        except Exception as error:
            raise UsageError(
                f"the cloud at {self._endpoint} has no stack {name}: {error}",
                where="stack.name",
                next="deploy it (docker compose up and kit up do), or name the one that is there",
            ) from error
        told = answer["Stacks"][0]
        if not told.get("Outputs"):
            raise UsageError(f"stack {name} is {told['StackStatus']} and has no outputs so far", where=self._endpoint)
        stack = Stack(name, outputs_of(told)).verify()
        # Whoever deployed it opens the mail last.
        if stack.is_webordinary:
            active = await self._aws.call("ses", "describe_active_receipt_rule_set")
            if active.get("Metadata", {}).get("Name") != stack.receipt_rule_set_name:
                raise UsageError(
                    f"stack {name} takes no mail: its receipt rule set is not active",
                    next=f"ses.SetActiveReceiptRuleSet with RuleSetName={stack.receipt_rule_set_name}",
                )
        return ready, stack


def reached_at(endpoint: str, status: Mapping[str, Any]) -> Readiness:
    """Where the cloud is for somebody who reaches it at `endpoint`: its doors have the same host."""
    ready = Readiness.from_json(status)
    host = urlsplit(endpoint).hostname or ""
    return replace(ready, aws=endpoint, smtp=f"{host}:{ready.smtp.rpartition(':')[2]}")


def _capabilities(status: Mapping[str, Any]) -> Mapping[str, Level]:
    """All of them where the cloud runs on this very machine, shown by its folder."""
    workdir = str(status.get("workdir", ""))
    return CAPABILITIES if workdir and Path(workdir).is_dir() else _ELSEWHERE


def _status(endpoint: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(f"{endpoint}/_emulation/status", timeout=_ANSWERS_WITHIN) as answer:
            told: dict[str, Any] = json.loads(answer.read())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no emulated cloud answers at {endpoint}: {error}",
            where="emulated.endpoint (--endpoint)",
            next="start one: docker compose up --wait, or kit up",
        ) from error
    return told
