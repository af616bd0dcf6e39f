"""The emulated cloud as a backend: started as a child process, deployed to through the AWS API.

The only module of the kit that knows `emulation`, and it knows its command line and readiness line only.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from pathlib import Path
from typing import Any

from ...audit import Note, RunLedger, audit_self
from ...audit.ledger import TOKEN_VARIABLE
from ...audit.machine import Identity, identity
from ...aws.client import Access, Aws, Credentials
from ...aws.deploy import deploy, template_text
from ...aws.images import chosen, refuse_without_program
from ...aws.outputs import Stack
from ...core.clock import Clock
from ...core.errors import InfraError, UsageError
from ...core.extras import require
from ...core.history import History
from ...core.threads import Threads
from ...images.address import address
from ...settings import Settings
from .. import capability
from ..capability import Level
from ..interface import Cloud
from . import base_state, preview
from .child import Child, environment
from .faults import GatewayFaults
from .smtp import SmtpDoor

EDIT = "webordinary/edit:test"
REFERENCE_PROGRAMS: Mapping[str, Sequence[str]] = {
    "webordinary/hermes:test": (sys.executable, "-m", "webordinary_testkit.emulation.system.hermes"),
    EDIT: (sys.executable, "-m", "webordinary_testkit.emulation.system.edit"),
}
"""The reference system, in the place of Webordinary's own images."""

CREDENTIALS = Credentials("test", "test")
"""What the emulated cloud takes for a caller from outside."""

CAPABILITIES: Mapping[str, Level] = {
    capability.MAIL_IN: Level.MODELLED,
    capability.MAIL_REPLIES: Level.MODELLED,
    capability.LOAD_BALANCER: Level.MODELLED,
    capability.SCALING: Level.MODELLED,
    capability.ECS_EXEC: Level.MODELLED,
    capability.SHARED_WORKSPACE: Level.MODELLED,
    capability.METRICS: Level.MODELLED,
    capability.FAULT_TASK: Level.MODELLED,
    capability.FAULT_PAUSE: Level.MODELLED,
    capability.FAULT_THROTTLE: Level.MODELLED,
    capability.FAULT_API: Level.MODELLED,
    capability.FAULT_NETWORK: Level.MODELLED,
    capability.FAULT_EXPERIMENT: Level.MODELLED,
    capability.FAULT_START: Level.MODELLED,
    capability.FAULT_MEMORY: Level.ABSENT,
    capability.FAULT_CPU: Level.ABSENT,
    capability.FAULT_UNPLUG: Level.ABSENT,
    capability.FAULT_DISK: Level.ABSENT,
}
"""Where tasks are processes of this machine."""
OF_CONTAINERS: Mapping[str, Level] = {
    capability.FAULT_MEMORY: Level.NATIVE,
    capability.FAULT_CPU: Level.NATIVE,
    capability.FAULT_UNPLUG: Level.NATIVE,
}
"""What the kernel does to containers besides."""


def capabilities_of(settings: Settings) -> Mapping[str, Level]:
    """What the emulated cloud can do with these settings."""
    if settings.emulated.runtime != "docker":
        return CAPABILITIES
    disk = {capability.FAULT_DISK: Level.NATIVE} if settings.emulated.volume_mib else {}
    return {**CAPABILITIES, **OF_CONTAINERS, **disk}


@dataclass(frozen=True)
class Readiness:
    """The readiness line: where a running emulated cloud is."""

    aws: str
    smtp: str
    region: str
    account: str
    pid: int
    scale: float
    origin: float
    workdir: str
    base: Mapping[str, Any] = field(default_factory=dict)
    """What holds the declared state, when that is not the embedded base."""

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Readiness:
        try:
            return cls(
                aws=line["aws"],
                smtp=line["smtp"],
                region=line["region"],
                account=line["account"],
                pid=int(line["pid"]),
                scale=float(line["clock"]["scale"]),
                origin=float(line["clock"]["origin"]),
                workdir=line.get("workdir", ""),
                base=line.get("base", {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InfraError(f"the readiness line lacks {error}: {json.dumps(line)[:300]}") from None

    def to_json(self) -> dict[str, Any]:
        clock = {"scale": self.scale, "origin": self.origin}
        return {name: value for name, value in vars(self).items() if name not in clock} | {"clock": clock}

    def clock(self, allowance: float) -> Clock:
        return Clock(scale=self.scale, origin=self.origin, allowance=allowance)

    def environment(self) -> dict[str, str]:
        """What makes a program use this cloud: any SDK, the AWS CLI, and what was written for LocalStack."""
        return {**self.access().environment(), "LOCALSTACK_HOST": self.aws.partition("://")[2]}

    def access(self) -> Access:
        return Access(region=self.region, endpoint_url=self.aws, credentials=CREDENTIALS)


def cloud_at(
    ready: Readiness,
    stack: Stack,
    aws: Aws,
    *,
    allowance: float,
    capabilities: Mapping[str, Level] = CAPABILITIES,
    evidence: tuple[str, ...] = (),
) -> Cloud:
    """An emulated cloud that runs, with its stack deployed, as a scenario uses it."""
    host, _, port = ready.smtp.rpartition(":")
    return Cloud(
        aws=aws,
        clock=ready.clock(allowance),
        stack=stack,
        mail=SmtpDoor(host, int(port), aws.threads),
        threads=aws.threads,
        region=ready.region,
        account=ready.account,
        capabilities=capabilities,
        evidence=evidence,
        base=ready.base,
        fault_door=GatewayFaults(ready.aws, aws.threads),
    )


class EmulatedBackend:
    """Starts `python -m emulation`, deploys the stack, opens the mail, and takes all of it away again."""

    name = "emulated"

    def __init__(self, settings: Settings, folder: Path, history: History) -> None:
        """`folder` takes the cloud's log and its record of calls."""
        self._settings = settings
        self._folder = folder
        self._history = history
        self._threads = Threads()
        self._child: Child | None = None
        self._aws: Aws | None = None
        self._note: Note | None = None
        self.readiness: Readiness | None = None
        self.left_behind: list[str] = []
        """What of it was still there when it had been stopped, and what came of that, a line each."""

    def capabilities(self) -> Mapping[str, Level]:
        return capabilities_of(self._settings)

    async def start(self) -> Cloud:
        """As `Backend.start`. Refuses a template with an image that no program stands for before it starts anything."""
        settings, base = self._settings, self._settings.emulated.base
        template = template_text(settings.stack.template)
        parameters, images = chosen(template, settings.stack.parameters, settings.images)
        containers = _runs_containers(settings)
        # Astro on this machine is looked for only where it would run on this machine.
        shown = None if containers else await self._threads.run(preview.chosen, settings.emulated.preview)
        programs = _programs(settings, shown)
        if shown is not None:
            refuse_without_program(template, parameters, programs)
        pages = shown.preview if shown else settings.emulated.preview or "builtin"
        parameters = preview.told(pages, template) | parameters
        if shutil.which("git") is None:
            raise UsageError(
                "git is not installed, and the workspaces are git repositories", next="install git, and have it on PATH"
            )
        engine = await self._threads.run(address) if containers or base == base_state.LOCALSTACK else None
        log, calls = self._folder / "cloud.log", self._folder / "calls.jsonl"
        self._note = RunLedger().open(
            self._folder.name, report_dir=settings.report_dir, folder=self._folder, since=Clock().wall()
        )
        config = {
            "region": settings.region,
            "account": settings.account,
            "scale": settings.emulated.scale,
            "port": settings.emulated.port,
            "smtp_port": settings.emulated.smtp_port,
            "load_balancer_port": settings.emulated.load_balancer_port,
            "programs": {image: list(argv) for image, argv in programs.items()},
            **(
                {"runtime": "docker", "images": images, "volume_mib": settings.emulated.volume_mib}
                if containers
                else {}
            ),
            "base": base,
            "base_services": list(settings.emulated.base_services),
            "localstack_image": settings.emulated.localstack_image,
            "record": str(calls.resolve()),
            "workdir": str(self._note.workdir),
            **({} if settings.emulated.seed is None else {"seed": settings.emulated.seed}),
        }
        try:
            argv = [sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps(config)]
            environ = environment() | {TOKEN_VARIABLE: self._note.token}
            if engine is not None and engine.variables:
                self._note.add(engine=asdict(engine))
                environ = engine.environment(environ)
            self._child = Child(argv, log, environ)
            self._note.add(cloud=astuple(identity(self._child.pid) or Identity(self._child.pid, "")))
            # boto3 takes a third of a second to import; the cloud starts meanwhile.
            _, line = await asyncio.gather(
                self._threads.run(_import_boto3),
                self._threads.run(self._child.ready, base_state.ready_within(settings), _say),
            )
            self.readiness = Readiness.from_json(line)
            clock = self._clock()
            self._history.follow(clock)
            self._aws = Aws(self.readiness.access(), self._threads, self._history)
            stack = await deploy(
                self._aws,
                clock,
                settings.stack.name,
                template,
                parameters,
                within=settings.timeouts.deploy,
            )
            # An account has one active rule set, and this account is the stack's alone.
            await self._activate_rule_set(self._aws, stack)
        except InfraError as error:
            await self.stop()
            raise base_state.explained(error, base) from error
        except BaseException:
            await self.stop()
            raise
        return cloud_at(
            self.readiness,
            stack,
            self._aws,
            allowance=settings.emulated.allowance,
            capabilities=capabilities_of(settings),
            evidence=(str(log), str(calls)),
        )

    async def _activate_rule_set(self, aws: Aws, stack: Stack) -> None:
        if stack.is_webordinary:
            await aws.call("ses", "set_active_receipt_rule_set", RuleSetName=stack.receipt_rule_set_name)

    async def health(self) -> str | None:
        return "the emulated cloud was not started" if self._child is None else self._child.ended()

    async def faults(self) -> list[str]:
        """Exceptions that nothing in the emulated cloud handled, from its log."""
        return [] if self._child is None else self._child.faults()

    async def ended(self) -> str:
        """Wait until the cloud ends by itself; returns the sentence that says so."""
        assert self._child is not None
        return await self._threads.run(self._child.wait)

    def _clock(self) -> Clock:
        assert self.readiness is not None
        return self.readiness.clock(self._settings.emulated.allowance)

    async def stop(self, *, keep: bool = False) -> None:
        child, self._child = self._child, None
        aws, self._aws = self._aws, None
        if aws is not None:
            if child is not None and child.ended() is None and base_state.outlives(self._settings.emulated.base):
                self.left_behind += await base_state.taken_back(aws, self._clock(), self._settings)
            aws.close()
        if child is not None:
            await asyncio.to_thread(child.stop)
        self._threads.close()
        note, self._note = self._note, None
        if note is not None:
            self.left_behind += map(str, await audit_self(note))


def _runs_containers(settings: Settings) -> bool:
    """Whether tasks are containers. Raises `UsageError` when an extra that the settings need is not installed."""
    if settings.emulated.base == base_state.LOCALSTACK:
        require("localstack", "LocalStack as the base")
    if settings.emulated.runtime != "docker":
        return False
    require("docker", "the Docker runtime")
    return True


def _programs(settings: Settings, shown: preview.Chosen | None) -> dict[str, Sequence[str]]:
    edit = REFERENCE_PROGRAMS[EDIT]
    reference = {**REFERENCE_PROGRAMS, EDIT: edit if shown is None else shown.program(edit)}
    return {**reference, **settings.emulated.programs}


def _say(progress: str) -> None:
    sys.stderr.write(f"kit: {progress}\n")


def _import_boto3() -> None:
    import boto3  # noqa: PLC0415 - heavy: only where a call is made

    _ = boto3


def image_recipes() -> Path:
    """The folder with the Dockerfile and recipes of the container images (see kit/images)."""
    found = importlib.util.find_spec("webordinary_testkit.emulation")
    if found is None or not found.submodule_search_locations:
        raise UsageError("the emulated cloud is not installed", next="pip install webordinary-test-kit")
    return Path(found.submodule_search_locations[0]) / "images"
