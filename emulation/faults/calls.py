"""Faults of API calls, at the gateway: throttled, failed, delayed, or never answered.

    task or user --> gateway --> [ CallFault, CallFault … ] --> handler or base

Each counts `concerned` (the calls it applies to) and what it did to them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ..core.controller import Caller
from ..core.errors import AwsError
from ..gateway.intercept import CutOff, InterceptedCall, Interceptor
from ..state.models import is_service, service_model
from ..time.clock import Clock
from .bucket import Bucket, Coin
from .callers import TASKS, Groups, check
from .fault import FaultBase, FaultRefused
from .reading import nearest
from .refusals import failed, throttled


class Traffic(Protocol):
    """The part of the gateway that faults use."""

    network: list[Interceptor]
    """Called before a call is authenticated; its caller is whom it names."""
    interceptors: list[Interceptor]

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int:
        """Drop the answers of calls in progress and close their connections, at once or when `until` is set; returns
        how many."""


@dataclass(frozen=True)
class ApiFaultContext:
    """Dependencies of all API faults."""

    clock: Clock
    traffic: Traffic
    groups: Groups
    account: str


@dataclass(frozen=True)
class Calls:
    """Selects calls."""

    service: str
    operation: str | None = None
    """None: all of the service's."""
    callers: str = TASKS

    def check(self) -> None:
        """Raises `FaultRefused` for an unknown service, operation or group of callers."""
        check(self.callers)
        if not is_service(self.service):
            raise FaultRefused(
                f"botocore knows no service named {self.service!r}; names are those of boto3.client(name)"
            )
        known = service_model(self.service).operation_names
        if self.operation is not None and self.operation not in known:
            raise FaultRefused(
                f"{self.service} has no operation named {self.operation!r}{nearest(self.operation, known)}"
            )

    def concern(self, call: InterceptedCall, groups: Groups) -> bool:
        return (
            call.service == self.service
            and self.operation in (None, call.operation)
            and groups.concerns(self.callers, call.caller)
        )


@dataclass(frozen=True)
class ThrottleSettings(Calls):
    probability: float | None = None
    rate: float | None = None
    """Calls that pass in an AWS second, instead of a probability."""
    burst: float | None = None
    """Calls that pass at once after a pause. None: as many as in one second, and at least one."""
    code: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if (self.probability is None) == (self.rate is None):
            raise ValueError("a throttle takes either a probability or a rate")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, got {self.probability:g}")
        if self.rate is not None and self.rate < 0:
            raise ValueError(f"rate must not be below 0, got {self.rate:g} calls per AWS second")
        if self.burst is not None and (self.rate is None or self.burst < 0):
            raise ValueError("burst belongs to a rate, and must not be below 0")


@dataclass(frozen=True)
class ErrorSettings(Calls):
    status: int = 500
    code: str | None = None
    probability: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise ValueError(f"status must be between 400 and 599, got {self.status}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be between 0 and 1, got {self.probability:g}")


@dataclass(frozen=True)
class LatencySettings(Calls):
    seconds: float = 1.0
    """AWS seconds by which each answer is delayed."""

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds:g}")


class CallFault(FaultBase, ABC):
    """Base class of API faults; `_apply` does something to a call."""

    def __init__(self, context: ApiFaultContext, calls: Calls, **counts: int) -> None:
        super().__init__(calls, concerned=0, **counts)
        self._context = context

    def begin(self) -> None:
        self._settings.check()
        self._context.traffic.interceptors.append(self._intercept)

    def end(self) -> None:
        self._context.traffic.interceptors.remove(self._intercept)

    async def _intercept(self, call: InterceptedCall) -> AwsError | None:
        if not self._settings.concern(call, self._context.groups):
            return None
        self._counts["concerned"] += 1
        return await self._apply(call)

    @abstractmethod
    async def _apply(self, call: InterceptedCall) -> AwsError | None:
        """Apply the fault to a call; an error to answer it with, or None to let it pass."""


class Throttle(CallFault):
    """Refuses calls beyond a rate, or a share of all, as the service itself does."""

    kind: ClassVar[str] = "throttle"

    def __init__(self, context: ApiFaultContext, settings: ThrottleSettings) -> None:
        super().__init__(context, settings, throttled=0)
        self._code = settings.code
        self._gate: Bucket | Coin
        if settings.rate is not None:
            burst = settings.burst if settings.burst is not None else max(1.0, settings.rate)
            self._gate = Bucket(context.clock, settings.rate, burst)
        else:
            self._gate = Coin(settings.probability or 0.0, settings.seed)

    async def _apply(self, call: InterceptedCall) -> AwsError | None:
        if self._gate.passes():
            return None
        self._counts["throttled"] += 1
        return throttled(call, self._context.account, self._code)


class Error(CallFault):
    """Fails calls, or a share of them, before anything is done."""

    kind: ClassVar[str] = "error"

    def __init__(self, context: ApiFaultContext, settings: ErrorSettings) -> None:
        super().__init__(context, settings, failed=0)
        self._status, self._code = settings.status, settings.code
        self._gate = Coin(settings.probability, settings.seed)

    async def _apply(self, call: InterceptedCall) -> AwsError | None:
        if self._gate.passes():
            return None
        self._counts["failed"] += 1
        return failed(call, self._status, self._code)


class Latency(CallFault):
    """Delays every answer by some AWS seconds; its end releases the delayed ones."""

    kind: ClassVar[str] = "latency"

    def __init__(self, context: ApiFaultContext, settings: LatencySettings) -> None:
        super().__init__(context, settings, delayed=0)
        self._clock, self._seconds = context.clock, settings.seconds
        self._over = asyncio.Event()

    def end(self) -> None:
        super().end()
        self._over.set()

    async def _apply(self, call: InterceptedCall) -> None:
        self._counts["delayed"] += 1
        try:
            async with self._clock.timeout(self._seconds):
                await self._over.wait()
        except TimeoutError:
            return


@dataclass(frozen=True)
class CutSettings:
    task: str
    """The task's ARN."""
    how: str = "silence"

    def __post_init__(self) -> None:
        if self.how not in ("silence", "reset"):
            raise ValueError(
                f"how must be 'silence' (no answer ever) or 'reset' (the connection breaks), got {self.how!r}"
            )


class CutFromAws(FaultBase):
    """Cuts one task from AWS: its calls, including those in progress, get no answer or lose their connections."""

    kind: ClassVar[str] = "cut-from-aws"

    def __init__(self, context: ApiFaultContext, settings: CutSettings) -> None:
        super().__init__(settings, concerned=0, cut=0)
        self._context = context
        self._over = asyncio.Event()

    def begin(self) -> None:
        if not self._context.groups.known(self._settings.task):
            raise FaultRefused(f"no task {self._settings.task} runs", status=404)
        self._context.traffic.network.append(self._intercept)
        silent = self._over if self._settings.how == "silence" else None
        broken = self._context.traffic.break_off(self._concerns, silent)
        self._counts.update(concerned=broken, cut=broken)

    def end(self) -> None:
        self._context.traffic.network.remove(self._intercept)
        self._over.set()

    def _concerns(self, call: InterceptedCall) -> bool:
        return call.caller == Caller("task", self._settings.task)

    async def _intercept(self, call: InterceptedCall) -> None:
        if not self._concerns(call):
            return
        self._counts.update(concerned=1, cut=1)
        if self._settings.how == "reset":
            raise CutOff
        await self._over.wait()  # then it passes, as retransmitted packets do
