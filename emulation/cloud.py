"""The emulated cloud, put together: clock, ids, base, gateway and controllers, started and stopped in order."""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulation.base.embedded import Embedded
from emulation.clock import Clock
from emulation.controller import Caller, Context, Controller, Events
from emulation.gateway import AccessKeys, Admin, Dispatch, Gateway, InProcess, Recorder
from emulation.guardian import Guardian, mark, remove
from emulation.ids import Ids


@dataclass(frozen=True)
class CloudConfig:
    """The settings of one emulated cloud. Raises ValueError for a value that cannot be."""

    region: str = "us-west-2"
    account: str = "123456789012"
    scale: float = 60.0
    """AWS seconds that pass in one wall second."""
    port: int = 0
    """Of the gateway, on 127.0.0.1; 0 takes a free one."""
    smtp_port: int = 0
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Image name → the program that stands for it on this machine."""
    workdir: Path | None = None
    """A folder of the run's own, removed at the end; None makes a temporary one."""
    record: Path | None = None
    """A file to which every call is appended, one JSON object a line."""
    seed: int | None = None
    """Makes ids repeat themselves."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{12}", self.account):
            raise ValueError(f"account must be 12 digits, got {self.account!r}")
        if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", self.region):
            raise ValueError(f"region must be an AWS region such as us-west-2, got {self.region!r}")
        if not self.scale > 0:
            raise ValueError(f"scale must be above 0 (1 is real time), got {self.scale!r}")
        for name, port in (("port", self.port), ("smtp_port", self.smtp_port)):
            if not 0 <= port <= 65535:
                raise ValueError(f"{name} must be 0 (any free one) to 65535, got {port!r}")


@dataclass(frozen=True)
class Ground:
    """What controllers are built on."""

    config: CloudConfig
    guardian: Guardian
    context: Callable[[str], Context]
    """A context for the part of this name: its calls are recorded under it."""


Assembly = Callable[[Ground], Iterable[Controller]]
"""Builds the controllers; they start in this order and stop in the reverse one."""


class Cloud:
    """One emulated cloud in this process and event loop. `start` once, `stop` once."""

    def __init__(self, config: CloudConfig, assemble: Assembly) -> None:
        self.config = config
        self._assemble = assemble
        self.clock = Clock(scale=config.scale)
        self.ids = Ids() if config.seed is None else Ids.seeded(config.seed)
        self.keys = AccessKeys(self.ids)
        self.guardian = Guardian()
        self.events = Events()
        self.recorder = Recorder(config.record)
        self.base = Embedded(self.clock, account=config.account, host=lambda: self.gateway.host, seed=config.seed)
        self.dispatch = Dispatch(
            self.clock, self.ids, self.base, self.keys, self.recorder, region=config.region, account=config.account
        )
        self.controllers: list[Controller] = []
        self._started: list[Controller] = []
        self._log = logging.getLogger("emulation")
        self._token = ""
        self.gateway: Gateway
        self.workdir: Path

    def context(self, name: str) -> Context:
        """What the part of this name is handed."""
        return Context(
            clock=self.clock,
            ids=self.ids,
            aws=InProcess(self.dispatch, Caller("service", name)),
            callers=self.keys,
            events=self.events,
            region=self.config.region,
            account=self.config.account,
            workdir=self.workdir,
            endpoint=lambda: self.gateway.url,
            log=self._log.getChild(name),
        )

    async def start(self) -> None:
        """Bring everything up, or take down what came up and raise: OSError when a port is taken or the workdir
        cannot be made, ValueError when two controllers answer the same operation."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        self.workdir = self._make_workdir()
        self._token = mark(self.workdir)
        await self.guardian.start(self.workdir, self._token)
        await self.base.start()
        self.controllers = list(self._assemble(Ground(self.config, self.guardian, self.context)))
        self.dispatch.register(self.controllers)
        routes = [route for controller in self.controllers for route in _optional(controller, "web_routes", ())]
        self.gateway = Gateway(self.dispatch, Admin(self.recorder, self._answers()), routes, port=self.config.port)
        await self.gateway.start()
        for controller in self.controllers:
            self._started.append(controller)
            await controller.start()

    async def stop(self) -> None:
        """Take everything down, in reverse order. Does not raise."""
        for controller in reversed(self._started):
            try:
                await controller.stop()
            except Exception:
                self._log.exception("%s did not stop cleanly", type(controller).__name__)
        self._started.clear()
        if hasattr(self, "gateway"):
            await self.gateway.stop()
        await self.base.stop()
        self.recorder.close()
        if self._token:
            remove(self.workdir, self._token)
        await self.guardian.done()

    def facts(self) -> dict[str, Any]:
        """Where everything is: what the readiness line says, but for what controllers add."""
        return {
            "aws": self.gateway.url,
            "region": self.config.region,
            "account": self.config.account,
            "pid": os.getpid(),
            "clock": {"scale": self.clock.scale, "origin": self.clock.origin},
            "workdir": str(self.workdir),
        }

    def _make_workdir(self) -> Path:
        if self.config.workdir is None:
            return Path(tempfile.mkdtemp(prefix="emulated-cloud-"))
        self.config.workdir.mkdir(parents=True, exist_ok=True)
        return self.config.workdir.resolve()

    def _answers(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        async def health() -> dict[str, str]:
            return {"status": "ok"}

        async def status() -> dict[str, Any]:
            return self.facts()

        answers: dict[str, Callable[[], Awaitable[Any]]] = {"health": health, "status": status}
        for controller in self.controllers:
            answers.update(_optional(controller, "routes", {}))
        return answers


def _optional(controller: Controller, method: str, default: Any) -> Any:
    """What a controller's optional method returns."""
    return getattr(controller, method)() if hasattr(controller, method) else default
