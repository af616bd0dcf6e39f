"""The emulated cloud: starts and stops its state store, gateway and controllers in order."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from .config import CloudConfig
from .core.addressing import Addressing
from .core.controller import Caller, Changed, Context, Controller, Events, TargetHealthChanged
from .core.guardian import Guardian, mark, remove
from .core.ids import Ids
from .gateway.admin import Admin
from .gateway.callers import AccessKeys
from .gateway.dispatch import Dispatch, InProcess
from .gateway.record import Recorder
from .gateway.server import Gateway
from .state.factory import create_store
from .time.clock import Clock
from .time.jumps import Jumps
from .time.latency import Latency
from .time.profile import load


class MakeContext(Protocol):
    def __call__(self, name: str, region: str = "") -> Context:
        """The context of a controller, whose calls are recorded under this name; in the cloud's own region unless
        another is given."""


@dataclass(frozen=True)
class CloudParts:
    """The parts of a cloud that controllers are built on."""

    config: CloudConfig
    guardian: Guardian
    context: MakeContext
    dispatch: Dispatch
    """Every call passes it: faults intercept calls there."""
    gateway: Gateway
    addressing: Addressing


@dataclass(frozen=True)
class Wiring:
    """The controllers of a cloud."""

    controllers: Sequence[Controller]
    """Started in this order, stopped in reverse."""
    facts: Callable[[], Mapping[str, Any]] = dict
    """Their entries in the readiness line."""
    regional: Callable[[str], Sequence[Controller]] = lambda _: ()
    """Makes the controllers of another region."""


Wire = Callable[[CloudParts], Wiring]

STOPS_WITHIN = 10.0
"""Wall seconds for a controller to stop."""


class Cloud:
    """One emulated cloud in this process and event loop. `start` once, `stop` once."""

    def __init__(self, config: CloudConfig, wire: Wire) -> None:
        self.config = config
        self.clock = Clock(scale=1 if config.clock == "autojump" else config.scale)
        self.ids = Ids() if config.seed is None else Ids.seeded(config.seed)
        self.latency = Latency(load(config.latency), self.clock, seed=config.seed, record=config.delays)
        self.keys = AccessKeys(self.ids, self.clock, insecure=config.insecure_keys)
        self.events = Events()
        self.guardian = Guardian()
        self.jumps = Jumps()
        self.recorder = Recorder(config.record)
        self.base = create_store(config, self.clock, self.ids, self.guardian, lambda: self.gateway.host)
        self.dispatch = Dispatch(
            self.clock, self.ids, self.base, self.keys, self.recorder, region=config.region, account=config.account
        )
        self.events.subscribe(Changed, lambda event: self.dispatch.changes.note(event.service))
        self.events.subscribe(TargetHealthChanged, lambda _: self.dispatch.changes.note("elbv2"))
        self.admin = Admin(self.recorder, token=self.keys.root.secret_access_key)
        hosts = frozenset(host.lower() for host in config.hosts)
        self.addressing = Addressing(first_balancer=config.load_balancer_port, hosts=hosts)
        self.gateway = Gateway(self.dispatch, self.admin, port=config.port, addressing=self.addressing)
        self.workdir = Path()
        self.wiring = Wiring(())
        self._wire = wire
        self._started: list[Controller] = []
        self._token = ""
        self._log = logging.getLogger("emulation")

    def context(self, name: str, region: str = "") -> Context:
        """See `MakeContext`."""
        region = region or self.config.region
        return Context(
            clock=self.clock,
            ids=self.ids,
            aws=InProcess(self.dispatch, Caller("service", name), region),
            callers=self.keys,
            events=self.events,
            region=region,
            account=self.config.account,
            workdir=self.workdir,
            endpoint=lambda: self.gateway.url,
            log=self._log.getChild(name),
            latency=self.latency,
        )

    async def start(self) -> None:
        """Start everything, or stop what was started and raise: OSError when a port is taken or the workdir cannot be
        made, ValueError when the workdir is not empty or two controllers handle one operation."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        self.workdir, self._token = _fresh_workdir(self.config.workdir)
        await self.guardian.start(self.workdir, self._token)
        if self.config.clock == "autojump":
            await self.jumps.start(self.clock, self.workdir / "clock")
        await self.base.start()
        parts = CloudParts(self.config, self.guardian, self.context, self.dispatch, self.gateway, self.addressing)
        self.wiring = self._wire(parts)
        controllers = self.wiring.controllers
        self.dispatch.register(controllers)
        self.dispatch.regional = self.wiring.regional
        self.admin.add({"health": self._health, "status": self._status})
        for controller in controllers:
            self.admin.add(_optional(controller, "routes", {}))
        await self.gateway.start(
            route for controller in controllers for route in _optional(controller, "web_routes", ())
        )
        for controller in controllers:
            self._started.append(controller)
            await controller.start()

    async def stop(self) -> None:
        """Stop everything, in reverse order. Does not raise."""
        for controller in reversed(self._started):
            try:
                async with asyncio.timeout(STOPS_WITHIN):
                    await controller.stop()
            except Exception:
                self._log.exception("%s did not stop cleanly", type(controller).__name__)
        self._started.clear()
        await self.gateway.stop()
        await self.dispatch.stop()
        await self.base.stop()
        self.recorder.close()
        await self.jumps.stop()
        if self._token:
            remove(self.workdir, self._token)
        await self.guardian.done()

    def readiness(self) -> dict[str, Any]:
        """The readiness line: where everything is, and the run's key."""
        root = self.keys.root
        credentials = {"access_key_id": root.access_key_id, "secret_access_key": root.secret_access_key}
        return {**self.facts(), "credentials": credentials}

    def facts(self) -> dict[str, Any]:
        """The content of the readiness line."""
        return {
            "aws": self.gateway.url,
            "region": self.config.region,
            "account": self.config.account,
            "pid": os.getpid(),
            "clock": self.clock.facts(),
            "workdir": str(self.workdir),
            "latency": {"profile": self.latency.profile.name, "seed": self.latency.seed},
            **({"base": facts} if (facts := self.base.facts()) else {}),
            **self.wiring.facts(),
        }

    async def _health(self) -> dict[str, str]:
        return {"status": "ok"}

    async def _status(self) -> dict[str, Any]:
        return self.facts()


def _fresh_workdir(wanted: Path | None) -> tuple[Path, str]:
    """The run's marked folder, and the token of the mark."""
    if wanted is None:
        workdir = Path(tempfile.mkdtemp(prefix="emulated-cloud-")).resolve()
    else:
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
        workdir = wanted.resolve()
    return workdir, mark(workdir)


def _optional(controller: Controller, method: str, default: Any) -> Any:
    """The result of a controller's optional method, or the default."""
    return getattr(controller, method)() if hasattr(controller, method) else default
