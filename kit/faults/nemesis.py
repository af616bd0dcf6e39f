"""Injects faults, makes sure that they had their effect, and undoes them: at the end, on failure, on cancellation.

    with block:  inject --> (shows at once? wait until seen) --> body --> (not yet seen? look) --> undo

Every step is an operation of the history, by the caller `nemesis`. A fault that outlasts its deadline is undone under
whoever is still at work with it, and what that showed is unknown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any

from ..aws.undo import DEADLINE
from ..backends.capability import Level, lacking
from ..core.clock import iso
from ..core.errors import InfraError, NotSupported, WaitExpired
from ..core.eventually import NotYet, eventually
from ..core.history import INJECT, NEMESIS, UNDO, VERIFY, History
from .context import FaultContext
from .fault import Effect, EffectNotSeen, Fault, Observation, Visibility

_LASTS_AT_LEAST = 60.0
"""Wall seconds a fault may last at any rate: on a fast clock the deadline is over in no time."""


class Injection:
    """A fault under way, as a scenario holds it, and what is reported of it."""

    def __init__(self, fault: Fault, context: FaultContext, history: History) -> None:
        self.fault = fault
        self.at: float | None = None
        """AWS time at which its injection began, epoch seconds; None before it was done."""
        self.verified = False
        """Whether its effect was seen."""
        self.seen = "nobody looked"
        """What was seen last."""
        self.undone = False
        self.overdue = False
        """Whether it was undone at its deadline, before its block had ended."""
        self._context = context
        self._history = history
        self._effect: Effect | None = None
        self._ending = asyncio.Lock()
        self._deadline: asyncio.TimerHandle | None = None
        self._expiring: asyncio.Task[None] | None = None
        self._counts: Mapping[str, int] = {}
        self._touches = {"fault": type(fault).__name__, "target": fault.target, "injection": context.ids.marker()}

    def __str__(self) -> str:
        return f"{type(self.fault).__name__} of {self.fault.target}"

    async def begin(self) -> None:
        """Inject it; cancelled meanwhile, it is injected all the same, so that it can be undone."""
        await _to_its_end(self._begin())

    async def until_seen(self, within: float | None = None) -> str:
        """Wait until the effect is seen, and return what was; `within` AWS seconds, the fault's own unless given.

        Raises `EffectNotSeen`, and what was observed under the fault shows nothing then.
        """
        __tracebackhide__ = True
        budget = self.fault.within if within is None else within
        if not self.verified and not await self._verify(budget):
            raise EffectNotSeen(
                f"{self} had no effect that could be seen within {budget:g} AWS s: {self.seen}",
                where=str(self.fault),
                next="nothing was shown under it: see what the cloud counted, GET /_emulation/faults",
            )
        return self.seen

    async def counts(self) -> Mapping[str, int]:
        """How often it did what so far, where somebody counts: `concerned`, `throttled`, `delayed`, …"""
        if self._effect is not None and not self.undone:
            self._counts = await self._effect.counts()
        return self._counts

    async def undo(self) -> None:
        """End it now rather than at the end of the block; its effect must have been seen by then. May be repeated."""
        await self.conclude(None)
        await self.end()

    async def conclude(self, within: float | None) -> None:
        """Look whether it has had its effect, unless that is known; what comes of it is read from the history.

        `within` as in `until_seen`, None for one look.
        """
        if self._effect is not None and not self.verified and not self.undone:
            await self._verify(within)

    async def end(self) -> None:
        """Undo it, unless that is done; cancelled meanwhile, it is undone all the same. Raises `InfraError`."""
        if self._effect is not None and not self.undone:
            await _to_its_end(self._undo(self._effect))

    def in_time(self) -> None:
        """Raises `EffectNotSeen` when it was undone at its deadline: what came after was seen without it."""
        __tracebackhide__ = True
        if self.overdue:
            raise EffectNotSeen(
                f"{self} was undone at its deadline of {DEADLINE:g} AWS s, while it was still needed",
                where=str(self.fault),
                next="let less happen under it, or see in the history what took so long",
            )

    def to_json(self) -> dict[str, Any]:
        """As the report shows it."""
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
        lasts = max(self._context.clock.patience(DEADLINE), _LASTS_AT_LEAST)
        self._deadline = asyncio.get_running_loop().call_later(lasts, self._expire)

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
        except Exception as error:  # another fault may be in the way of the look; the next one may get through
            seen = Observation(False, f"could not look: {type(error).__name__}: {error}")
        self.seen, self.verified = seen.what, seen.effective
        if not seen.effective:
            raise NotYet(seen.what)


class Nemesis:
    """Everything that went wrong on purpose in one scenario."""

    def __init__(self, context: FaultContext, history: History, capabilities: Mapping[str, Level]) -> None:
        self._context = context
        self._history = history
        self._capabilities = capabilities
        self.injected: list[Injection] = []
        """In the order of injection."""

    @asynccontextmanager
    async def fault(self, fault: Fault, *, wait: bool | None = None) -> AsyncIterator[Injection]:
        """A fault for as long as the block lasts, undone whatever happens in it.

        Where its effect shows by itself it is waited for before the block begins (`wait=False` leaves that to the
        end, or to `until_seen`), and `EffectNotSeen` is raised when it does not show. Where it shows by use, it must
        have been seen by the end of the block, or the scenario's verdict is unknown; so it is when the block outlasts
        the deadline of all faults, at which it is undone. Raises `NotSupported` when this
        cloud cannot do it, `UsageError` when it cannot be done to this target.
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
            with suppress(InfraError):  # tried again by `undo_all`, which does not hide what happened here
                await injected.end()
            raise
        await injected.end()

    async def undo_all(self) -> None:
        """Undo what a scenario left behind, the last one first. Raises `InfraError` when something could not be."""
        for injected in reversed(self.injected):
            await injected.end()


async def _to_its_end(work: Awaitable[None]) -> None:
    """Await it; a cancellation meanwhile takes effect when it has ended."""
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
