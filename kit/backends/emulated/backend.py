"""The emulated cloud as a backend: started as a child process, deployed to through the AWS API."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from ...audit import Note, RunNotes, audit_self
from ...audit.machine import Identity, identity
from ...audit.notes import TOKEN_VARIABLE
from ...aws.client import Aws
from ...aws.deploy import deploy, template_text
from ...aws.outputs import Stack
from ...aws.template import image_choice, require_programs
from ...core.changes import Changes
from ...core.clock import Clock
from ...core.errors import InfraError, UsageError
from ...core.extras import require
from ...core.history import History
from ...core.threads import BlockingPool
from ...images.address import Address, address
from ...settings import Settings
from .. import capability
from ..capability import Level
from ..interface import Cloud
from . import base_state, preview, programs
from .changes import ChangeFeed
from .child import Child, environment
from .fault_api import GatewayFaultApi
from .latency import chosen
from .readiness import Readiness
from .smtp import SmtpTransport

_ABSENT = (capability.FAULT_MEMORY, capability.FAULT_CPU, capability.FAULT_UNPLUG, capability.FAULT_DISK)
CAPABILITIES: Mapping[str, Level] = {
    name: Level.ABSENT if name in _ABSENT else Level.MODELLED for name in capability.ALL
}
"""Where tasks are processes of this machine."""
OF_CONTAINERS: Mapping[str, Level] = {
    capability.FAULT_MEMORY: Level.NATIVE,
    capability.FAULT_CPU: Level.NATIVE,
    capability.FAULT_UNPLUG: Level.NATIVE,
}
"""Added where tasks are containers: the kernel enforces these."""


def capabilities_of(settings: Settings) -> Mapping[str, Level]:
    """What the emulated cloud supports with these settings."""
    if settings.emulated.runtime != "docker":
        return CAPABILITIES
    disk = {capability.FAULT_DISK: Level.NATIVE} if settings.emulated.volume_mib else {}
    return {**CAPABILITIES, **OF_CONTAINERS, **disk}


def cloud_at(
    ready: Readiness,
    stack: Stack,
    aws: Aws,
    *,
    allowance: float,
    capabilities: Mapping[str, Level] = CAPABILITIES,
    evidence: tuple[str, ...] = (),
    changes: Changes | None = None,
) -> Cloud:
    """A running emulated cloud, with its stack deployed, as scenarios use it."""
    host, _, port = ready.smtp.rpartition(":")
    return Cloud(
        aws=aws,
        clock=ready.clock(allowance),
        stack=stack,
        mail=SmtpTransport(host, int(port), aws.threads),
        threads=aws.threads,
        region=ready.region,
        account=ready.account,
        capabilities=capabilities,
        evidence=evidence,
        base=ready.base,
        fault_api=GatewayFaultApi(ready.admin, aws.threads),
        changes=changes or Changes(),
    )


@dataclass(frozen=True)
class _Plan:
    """Everything that is known before the cloud is started."""

    template: str
    parameters: Mapping[str, str]
    images: Mapping[str, str]
    programs: Mapping[str, Sequence[str]]
    engine: Address | None
    """The container engine, when one is used."""


class EmulatedBackend:
    """Starts the emulator, deploys the stack, activates its receipt rules, and removes everything again."""

    name = "emulated"

    def __init__(self, settings: Settings, folder: Path, history: History) -> None:
        """`folder` takes the cloud's log and its record of calls."""
        self._settings = settings
        self._folder = folder
        self._history = history
        self._threads = BlockingPool()
        self._child: Child | None = None
        self._aws: Aws | None = None
        self._changes: ChangeFeed | None = None
        self._note: Note | None = None
        self._log, self._calls = folder / "cloud.log", folder / "calls.jsonl"
        self.readiness: Readiness | None = None
        self.left_behind: list[str] = []
        """Resources that outlived the cloud, and what happened to them, a line each."""

    def capabilities(self) -> Mapping[str, Level]:
        return capabilities_of(self._settings)

    async def start(self) -> Cloud:
        """As `Backend.start`. Refuses a template with an image that has no program before it starts anything."""
        settings = self._settings
        plan = await self._plan()
        self._note = RunNotes().open(
            self._folder.name, report_dir=settings.report_dir, folder=self._folder, since=Clock().wall()
        )
        try:
            self.readiness = await self._launch(plan, self._note)
            self._history.follow(self._clock())
            self._aws = Aws(self.readiness.access(), self._threads, self._history)
            stack = await deploy(
                self._aws,
                self._clock(),
                settings.stack.name,
                plan.template,
                plan.parameters,
                within=settings.timeouts.deploy,
            )
            self._changes = ChangeFeed(self.readiness.admin)
            self._changes.open()
            # An account has one active rule set, and this account is the stack's alone.
            await self._activate_rule_set(self._aws, stack)
        except InfraError as error:
            await self.stop()
            raise base_state.explained(error, settings.emulated.base) from error
        except BaseException:
            await self.stop()
            raise
        return cloud_at(
            self.readiness,
            stack,
            self._aws,
            allowance=settings.emulated.allowance,
            capabilities=capabilities_of(settings),
            evidence=(str(self._log), str(self._calls)),
            changes=self._changes,
        )

    async def _activate_rule_set(self, aws: Aws, stack: Stack) -> None:
        if stack.is_webordinary:
            await aws.call("ses", "set_active_receipt_rule_set", RuleSetName=stack.receipt_rule_set_name)

    async def health(self) -> str | None:
        return "the emulated cloud was not started" if self._child is None else self._child.ended()

    async def internal_errors(self) -> list[str]:
        """Unhandled exceptions of the emulated cloud, from its log."""
        return [] if self._child is None else self._child.new_exceptions()

    async def ended(self) -> str:
        """Wait until the cloud ends by itself; returns the sentence that says so."""
        assert self._child is not None
        return await self._threads.run(self._child.wait)

    async def stop(self, *, keep: bool = False) -> None:
        child, self._child = self._child, None
        aws, self._aws = self._aws, None
        if self._changes is not None:
            self._changes.close()
        if aws is not None:
            if child is not None and child.ended() is None and base_state.outlives(self._settings.emulated.base):
                self.left_behind += await base_state.delete_stack(aws, self._clock(), self._settings)
            aws.close()
        if child is not None:
            await asyncio.to_thread(child.stop)
        self._threads.close()
        note, self._note = self._note, None
        if note is not None:
            self.left_behind += map(str, await audit_self(note))

    async def _plan(self) -> _Plan:
        """Check everything that can be checked beforehand. Raises `UsageError`."""
        settings, emulated = self._settings, self._settings.emulated
        template = template_text(settings.stack.template)
        parameters, images = image_choice(template, settings.stack.parameters, settings.images)
        containers = _runs_containers(settings)
        by_image = programs.reference()
        pages = emulated.preview or "builtin"
        if not containers:  # Astro on this machine matters only where it would run on this machine
            renderer = await self._threads.run(preview.find_renderer, emulated.preview)
            pages = renderer.preview
            by_image[programs.EDIT_IMAGE] = renderer.program(by_image[programs.EDIT_IMAGE])
        by_image |= programs.configured(emulated.programs)
        if not containers:
            require_programs(template, parameters, by_image)
        if shutil.which("git") is None:
            raise UsageError(
                "git is not installed, and the workspaces are git repositories", next="install git, and have it on PATH"
            )
        engine = await self._threads.run(address) if containers or emulated.base == base_state.LOCALSTACK else None
        return _Plan(template, preview.parameter(pages, template) | parameters, images, by_image, engine)

    async def _launch(self, plan: _Plan, note: Note) -> Readiness:
        environ = environment() | {TOKEN_VARIABLE: note.token}
        if plan.engine is not None and plan.engine.variables:
            note.add(engine=asdict(plan.engine))
            environ = plan.engine.environment(environ)
        self._child = Child(programs.emulator(self._config(plan, note)), self._log, environ)
        note.add(cloud=astuple(identity(self._child.pid) or Identity(self._child.pid, "")))
        await self._threads.run(_import_boto3)  # a third of a second, while the cloud starts
        line = await self._threads.run(self._child.ready, base_state.ready_within(self._settings), _show_progress)
        return Readiness.from_json(line)

    def _config(self, plan: _Plan, note: Note) -> dict[str, Any]:
        """The emulator's configuration (see `emulation.config`)."""
        settings, emulated = self._settings, self._settings.emulated
        containers = {"runtime": "docker", "images": plan.images, "volume_mib": emulated.volume_mib}
        return {
            "region": settings.region,
            "account": settings.account,
            **({"clock": "autojump"} if emulated.clock == "autojump" else {"scale": emulated.scale}),
            "port": emulated.port,
            "smtp_port": emulated.smtp_port,
            "load_balancer_port": emulated.load_balancer_port,
            "programs": plan.programs,
            "warm": list(programs.MODULES.values()),
            **(containers if emulated.runtime == "docker" else {}),
            "base": emulated.base,
            "base_services": list(emulated.base_services),
            "localstack_image": emulated.localstack_image,
            "record": str(self._calls.resolve()),
            "workdir": str(note.workdir),
            **({} if emulated.seed is None else {"seed": emulated.seed}),
            "latency": chosen(settings),
            "delays": str((self._folder / "delays.jsonl").resolve()),
            "hosts": list(emulated.hosts),
            "insecure_keys": emulated.insecure_keys,
        }

    def _clock(self) -> Clock:
        assert self.readiness is not None
        return self.readiness.clock(self._settings.emulated.allowance)


def _runs_containers(settings: Settings) -> bool:
    """Whether tasks are containers. Raises `UsageError` when an extra that the settings need is not installed."""
    if settings.emulated.base == base_state.LOCALSTACK:
        require("localstack", "LocalStack as the base")
    if settings.emulated.runtime != "docker":
        return False
    require("docker", "the Docker runtime")
    return True


def _show_progress(progress: str) -> None:
    sys.stderr.write(f"kit: {progress}\n")


def _import_boto3() -> None:
    import boto3  # noqa: PLC0415 - heavy: only where a call is made

    _ = boto3
