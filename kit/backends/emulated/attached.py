"""Uses a running emulated cloud, with its stack deployed, by its endpoint; starts and stops nothing.

Its readiness line comes from `/_emulation/status`, the rest from its stack's outputs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...aws.client import Aws, Credentials
from ...aws.outputs import Stack, outputs_of
from ...core.clock import Clock
from ...core.errors import InfraError, UsageError, WaitExpired
from ...core.eventually import NotYet, eventually
from ...core.history import History
from ...core.threads import BlockingPool
from ...settings import Settings
from ..capability import FAULT_PAUSE, Level
from ..interface import Cloud
from .admin_api import AdminApi
from .backend import CAPABILITIES, cloud_at
from .changes import ChangeFeed
from .readiness import Readiness

_ELSEWHERE: Mapping[str, Level] = {**CAPABILITIES, FAULT_PAUSE: Level.ABSENT}
"""A pause is observed at the task's own port, which only the cloud's own machine (or container) reaches."""


class AttachedBackend:
    """A `Backend` that starts and removes nothing."""

    name = "emulated"

    def __init__(self, settings: Settings, history: History) -> None:
        self._settings = settings
        self._endpoint = settings.emulated.endpoint.rstrip("/")
        self._credentials = credentials_of(os.environ)
        self._history = history
        self._threads = BlockingPool()
        self._aws: Aws | None = None
        self._detached = False
        self._changes: ChangeFeed | None = None

    def capabilities(self) -> Mapping[str, Level]:
        try:
            return _capabilities(str(_status(self._endpoint, self._credentials).get("workdir", "")))
        except UsageError:  # it is still starting; `start` returns the final ones
            return _ELSEWHERE

    async def start(self) -> Cloud:
        """Waits for a starting cloud. Raises `UsageError` when within `emulated.start_within` none answers there, or
        the stack is not deployed."""
        settings = self._settings
        last: UsageError | None = None

        async def look() -> tuple[Readiness, Stack, Aws]:
            nonlocal last
            try:
                return await self._look()
            except UsageError as error:
                last = error
                raise NotYet(error.what) from None

        try:
            ready, stack, aws = await eventually(
                look, within=settings.emulated.start_within, clock=Clock(), describe=f"the cloud at {self._endpoint}"
            )
        except WaitExpired:
            assert last is not None
            raise last from None
        self._changes = ChangeFeed(ready.admin)
        self._changes.open()
        cloud = cloud_at(ready, stack, aws, allowance=settings.emulated.allowance, changes=self._changes)
        return replace(cloud, capabilities=_capabilities(ready.workdir))

    async def health(self) -> str | None:
        if self._detached:
            return "the cloud was let go"
        try:
            await self._threads.run(_status, self._endpoint, self._credentials)
        except UsageError as error:
            return error.what
        return None

    async def internal_errors(self) -> list[str]:
        """None: its log is elsewhere."""
        return []

    async def stop(self, *, keep: bool = False) -> None:
        self._detached = True
        if self._changes is not None:
            self._changes.close()
        if self._aws is not None:
            self._aws.close()
        self._threads.close()

    async def _look(self) -> tuple[Readiness, Stack, Aws]:
        """The cloud and its stack at this moment. Raises `UsageError` for whatever is missing."""
        status = await self._threads.run(_status, self._endpoint, self._credentials)
        ready = reached_at(self._endpoint, status, self._credentials)
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
        description = answer["Stacks"][0]
        outputs = outputs_of(description)
        if not outputs:
            raise UsageError(
                f"stack {name} is {description['StackStatus']} and has no outputs yet", where=self._endpoint
            )
        stack = Stack(name, outputs).verify()
        if stack.is_webordinary:  # a deployment activates the receipt rules last
            active = await self._aws.call("ses", "describe_active_receipt_rule_set")
            if active.get("Metadata", {}).get("Name") != stack.receipt_rule_set_name:
                raise UsageError(
                    f"stack {name} takes no mail: its receipt rule set is not active",
                    next=f"ses.SetActiveReceiptRuleSet with RuleSetName={stack.receipt_rule_set_name}",
                )
        return ready, stack, self._aws


def credentials_of(environ: Mapping[str, str]) -> Credentials:
    """The access key that the environment names, as `kit up` prints it; the word `test` for a cloud that takes any."""
    key, secret = environ.get("AWS_ACCESS_KEY_ID", "test"), environ.get("AWS_SECRET_ACCESS_KEY", "test")
    return Credentials(key, secret)


def reached_at(endpoint: str, status: Mapping[str, Any], credentials: Credentials) -> Readiness:
    """The cloud's addresses as seen from `endpoint`: SMTP is at the same host."""
    ready = Readiness.from_json({**status, "credentials": asdict(credentials)})
    host = urlsplit(endpoint).hostname or ""
    return replace(ready, aws=endpoint, smtp=f"{host}:{ready.smtp.rpartition(':')[2]}")


def _capabilities(workdir: str) -> Mapping[str, Level]:
    """All of them when the cloud runs on this machine, where its folder is."""
    return CAPABILITIES if workdir and Path(workdir).is_dir() else _ELSEWHERE


def _status(endpoint: str, credentials: Credentials) -> dict[str, Any]:
    try:
        status: dict[str, Any] = AdminApi(endpoint, credentials.secret_access_key).get("status")
    except InfraError as error:
        raise UsageError(
            f"no emulated cloud answers at {endpoint}: {error.what}",
            where="emulated.endpoint (--endpoint)",
            next="start one: docker compose up --wait, or kit up",
        ) from error
    return status
