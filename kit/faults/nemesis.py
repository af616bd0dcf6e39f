"""Injects faults, verifies their effects, and undoes them: at the end, on failure, on cancellation.

    with block:  inject --> (visible at once? wait for it) --> body --> (not observed yet? look) --> undo

Every step is an operation of the history, by the caller `nemesis`. A fault that outlasts its deadline is undone even
while its block runs, and the scenario's verdict is unknown then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from ...awsclock.clock import Timer
from ..aws.undo import DEADLINE
from ..backends.capability import Level, lacking
from ..core.clock import iso
from ..core.errors import InfraError, NotSupported, WaitExpired
from ..core.eventually import NotYet, eventually
from ..core.history import INJECT, NEMESIS, UNDO, VERIFY, History
from .context import FaultContext
from .fault import Effect, EffectNotSeen, Fault, Observation, Visibility


class Injection:
    """A fault in progress, as scenarios use it and the report shows it."""

    def __init__(self, fault: Fault, context: FaultContext, history: History) -> None:
        self.fault = fault
        self.at: float | None = None
        """AWS time at which its injection began, epoch seconds; None before it is injected."""
        self.verified = False
        """Whether its effect was observed."""
        self.seen = "not looked for"
        """The last observation."""
        self.undone = False
        self.overdue = False
        """Whether it was undone at its deadline, before the end of its block."""
        self._context = context
        self._history = history
        self._effect: Effect | None = None
        self._ending = asyncio.Lock()
        self._deadline: Timer | None = None
        self._expiring: asyncio.Task[None] | None = None
        self._counts: Mapping[str, int] = {}
        self._touches = {"fault": type(fault).__name__, "target": fault.target, "injection": context.ids.marker()}

    def __str__(self) -> str:
        return f"{type(self.fault).__name__} of {self.fault.target}"

    async def begin(self) -> None:
        """Inject it. A cancellation takes effect afterwards, so that the fault can be undone."""
        await _to_its_end(self._begin())

    async def until_seen(self, within: float | None = None) -> str:
        """Wait until the effect is observed and return the observation; `within` AWS seconds, by default the fault's.

        Raises `EffectNotSeen`.
        """
        __tracebackhide__ = True
        budget = self.fault.within if within is None else within
        if not self.verified and not await self._verify(budget):
            raise EffectNotSeen(
                f"{self} had no visible effect within {budget:g} AWS s: {self.seen}",
                where=str(self.fault),
                next="see what the cloud counted: GET /_emulation/faults",
            )
        return self.seen

    async def counts(self) -> Mapping[str, int]:
        """Its counters so far, where the cloud counts: `concerned`, `throttled`, `delayed`, …"""
        if self._effect is not None and not self.undone:
            self._counts = await self._effect.counts()
        return self._counts

    async def undo(self) -> None:
        """End it before the end of the block; its effect must have been observed by then. May be repeated."""
        await self.conclude(None)
        await self.end()

    async def conclude(self, within: float | None) -> None:
        """Look for its effect, unless it was observed; the result goes to the history.

        `within` as in `until_seen`; None looks once.
        """
        if self._effect is not None and not self.verified and not self.undone:
            await self._verify(within)

    async def end(self) -> None:
        """Undo it if necessary. A cancellation takes effect afterwards. Raises `InfraError`."""
        if self._effect is not None and not self.undone:
            await _to_its_end(self._undo(self._effect))

    def in_time(self) -> None:
        """Raises `EffectNotSeen` when it was undone at its deadline, so that the rest of the block ran without it."""
        __tracebackhide__ = True
        if self.overdue:
            raise EffectNotSeen(
                f"{self} was undone at its deadline of {DEADLINE:g} AWS s, while it was still needed",
                where=str(self.fault),
                next="do less in its block, or see in the history what took so long",
            )

    def to_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "fault": type(self.fault).__name__,
            "settings": {name: value for name, value in _settings(self.fault).items() if value is not None},
            **({} if self.at is None else {"at": iso(self.at)}),
            "verified": self.verified,
            "seen": self.seen,
            **({"counts": dict(self._counts)} if self._counts else {}),
            "undone": self.undone,
            **({"overdue": True} if self.overdue else {}),
        }

    async def _begin(self) -> None:
        with self._history.operation(INJECT, caller=NEMESIS, **self._touches):
            began = self._context.clock.now()
            self._effect = await self.fault.inject(self._context)
            self.at = began
        clock = self._context.clock
        self._deadline = clock.call_later(clock.patience(DEADLINE), self._expire, background=True)

    async def _undo(self, effect: Effect) -> None:
        async with self._ending:
            if self.undone:
                return
            with self._history.operation(UNDO, caller=NEMESIS, **self._touches) as operation:
                await effect.undo()
                self.undone = True
                with suppress(InfraError):  # gone with its cloud
                    self._counts = await effect.counts()
                operation.ok(**self._counts)
            if self._deadline is not None:
                self._deadline.cancel()

    def _expire(self) -> None:
        self.overdue = True
        self._expiring = asyncio.ensure_future(self._end_anyhow())

    async def _end_anyhow(self) -> None:
        with suppress(InfraError):  # tried again at the end of the block
            await self.end()

    async def _verify(self, within: float | None) -> bool:
        with self._history.operation(VERIFY, caller=NEMESIS, **self._touches) as operation:
            try:
                if within is None:
                    await self._look()
                else:
                    clock, what = self._context.clock, f"the effect of {self}"
                    await eventually(self._look, within=within, clock=clock, describe=what, until=_always)
            except (NotYet, WaitExpired):
                operation.info(f"not seen: {self.seen}")
            else:
                operation.ok(seen=self.seen)
        return self.verified

    async def _look(self) -> None:
        assert self._effect is not None
        try:
            seen = await self._effect.verify()
        except Exception as error:  # another fault may prevent one look, and the next may succeed
            seen = Observation(False, f"could not look: {type(error).__name__}: {error}")
        self.seen, self.verified = seen.what, seen.effective
        if not seen.effective:
            raise NotYet(seen.what)


class Nemesis:
    """The faults of one scenario."""

    def __init__(self, context: FaultContext, history: History, capabilities: Mapping[str, Level]) -> None:
        self._context = context
        self._history = history
        self._capabilities = capabilities
        self.injected: list[Injection] = []
        """In the order of injection."""

    @asynccontextmanager
    async def fault(self, fault: Fault, *, wait: bool | None = None) -> AsyncIterator[Injection]:
        """Inject a fault for the duration of the block; it is undone whatever happens.

        The block begins once the effect is observed, if it is visible at once; otherwise `EffectNotSeen` is raised.
        `wait=False` leaves this to the end, or to `until_seen`. An effect visible by use must have been observed by
        the end of the block, or the scenario's verdict is unknown, as it is when the block outlasts the deadline of
        all faults. Raises `NotSupported` when this cloud cannot do it, `UsageError` for an invalid target.
        """
        __tracebackhide__ = True
        absent = lacking(self._capabilities, fault.needs)
        if absent:
            raise NotSupported(
                f"this cloud cannot do {type(fault).__name__}: it has no {', '.join(absent)}",
                next=f"name {', '.join(absent)} in the scenario's needs, and it is skipped here",
            )
        injected = Injection(fault, self._context, self._history)
        self.injected.append(injected)
        try:
            await injected.begin()
            if fault.visibility is Visibility.AT_ONCE if wait is None else wait:
                await injected.until_seen()
            try:
                yield injected
            except Exception:
                await injected.conclude(None)
                raise
            await injected.conclude(fault.within)
            injected.in_time()
        except BaseException:
            with suppress(InfraError):  # `undo_all` tries again, without hiding the first error
                await injected.end()
            raise
        await injected.end()

    async def undo_all(self) -> None:
        """Undo the remaining faults, last one first. Raises `InfraError` when one cannot be undone."""
        for injected in reversed(self.injected):
            await injected.end()


async def _to_its_end(work: Awaitable[None]) -> None:
    """Await it; a cancellation takes effect when it has ended."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _settings(fault: Fault) -> dict[str, Any]:
    return asdict(fault)  # type: ignore[call-overload,no-any-return]  # a fault is a dataclass, which no Protocol can say


def _always(_: None) -> bool:
    return True
