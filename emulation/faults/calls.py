"""Faults of API calls, at the gateway: too often, too late, failed, or without any answer.

    task or user --> gateway --> [ CallFault, CallFault … ] --> handler or base

Each counts `concerned` (calls it is meant for) and what it did to them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Protocol

from ..core.errors import AwsError
from ..gateway import CutOff, InterceptedCall, Interceptor
from ..state.models import is_service, service_model
from ..time.clock import Clock
from .bucket import Bucket, Coin
from .callers import TASKS, Groups, check
from .fault import FaultRefused
from .reading import nearest
from .refusals import failed, throttled


class Traffic(Protocol):
    """The gateway, as far as faults reach into it."""

    interceptors: list[Interceptor]

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int:
        """Take the answers away from calls that are being answered now, their connections closed at once or when
        `until` is set; returns how many."""
        ...


@dataclass(frozen=True)
class ApiFaultContext:
    """What every fault of API calls is handed."""

    clock: Clock
    traffic: Traffic
    groups: Groups
    account: str


@dataclass(frozen=True)
class Calls:
    """Which calls are concerned."""

    service: str
    operation: str | None = None
    """All of the service's when None."""
    callers: str = TASKS

    def check(self) -> None:
        """Raises `FaultRefused` for a service, an operation or callers that cannot be."""
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
    """Calls that pass in an AWS second; with it, `burst` and no probability."""
    burst: float | None = None
    """Calls that pass at once when none did for a while; one second's, and at least one, when None."""
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
    """AWS seconds by which each answer comes later."""

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"seconds must be above 0, got {self.seconds:g}")


class CallFault(ABC):
    """What faults of API calls have in common; each says in `_befall` what happens to a call."""

    def __init__(self, street: ApiFaultContext, calls: Calls) -> None:
        self._street = street
        self._calls = calls
        self._counts: Counter[str] = Counter(concerned=0)

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._calls)

    @property
    def excludes(self) -> None:
        return None

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)

    def begin(self) -> None:
        self._calls.check()
        self._street.traffic.interceptors.append(self._intercept)

    def end(self) -> None:
        self._street.traffic.interceptors.remove(self._intercept)

    async def _intercept(self, call: InterceptedCall) -> AwsError | None:
        if not self._calls.concern(call, self._street.groups):
            return None
        self._counts["concerned"] += 1
        return await self._befall(call)

    @abstractmethod
    async def _befall(self, call: InterceptedCall) -> AwsError | None:
        """Let it happen to a call that is concerned; the answer in the service's place, None when it goes on."""


class Throttle(CallFault):
    """Calls beyond a rate, or a share of all, are refused as the service itself refuses them."""

    kind: ClassVar[str] = "throttle"

    def __init__(self, street: ApiFaultContext, settings: ThrottleSettings) -> None:
        super().__init__(street, settings)
        self._code = settings.code
        self._counts["throttled"] = 0
        self._gate: Bucket | Coin
        if settings.rate is not None:
            burst = settings.burst if settings.burst is not None else max(1.0, settings.rate)
            self._gate = Bucket(street.clock, settings.rate, burst)
        else:
            self._gate = Coin(settings.probability or 0.0, settings.seed)

    async def _befall(self, call: InterceptedCall) -> AwsError | None:
        if self._gate.passes():
            return None
        self._counts["throttled"] += 1
        return throttled(call, self._street.account, self._code)


class Error(CallFault):
    """Calls, or a share of them, fail before anything is done."""

    kind: ClassVar[str] = "error"

    def __init__(self, street: ApiFaultContext, settings: ErrorSettings) -> None:
        super().__init__(street, settings)
        self._status, self._code = settings.status, settings.code
        self._gate = Coin(settings.probability, settings.seed)
        self._counts["failed"] = 0

    async def _befall(self, call: InterceptedCall) -> AwsError | None:
        if self._gate.passes():
            return None
        self._counts["failed"] += 1
        return failed(call, self._status, self._code)


class Latency(CallFault):
    """Every answer comes so many AWS seconds later; ended, it lets go of those that wait."""

    kind: ClassVar[str] = "latency"

    def __init__(self, street: ApiFaultContext, settings: LatencySettings) -> None:
        super().__init__(street, settings)
        self._wall = street.clock.wall(settings.seconds)
        self._over = asyncio.Event()
        self._counts["delayed"] = 0

    def end(self) -> None:
        super().end()
        self._over.set()

    async def _befall(self, call: InterceptedCall) -> None:
        self._counts["delayed"] += 1
        try:
            async with asyncio.timeout(self._wall):
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


class CutFromAws:
    """One task reaches AWS no more: its calls stay without an answer or their connections break, also those that
    are being answered when it begins."""

    kind: ClassVar[str] = "cut-from-aws"

    def __init__(self, street: ApiFaultContext, settings: CutSettings) -> None:
        self._street = street
        self._settings = settings
        self._over = asyncio.Event()
        self._counts = Counter(concerned=0, cut=0)

    @property
    def settings(self) -> Mapping[str, object]:
        return asdict(self._settings)

    @property
    def excludes(self) -> None:
        return None

    def counts(self) -> Mapping[str, int]:
        return dict(self._counts)

    def begin(self) -> None:
        if not self._street.groups.known(self._settings.task):
            raise FaultRefused(f"no task {self._settings.task} runs", status=404)
        self._street.traffic.interceptors.append(self._intercept)
        silent = self._over if self._settings.how == "silence" else None
        broken = self._street.traffic.break_off(self._concerns, silent)
        self._counts.update(concerned=broken, cut=broken)

    def end(self) -> None:
        self._street.traffic.interceptors.remove(self._intercept)
        self._over.set()

    def _concerns(self, call: InterceptedCall) -> bool:
        return call.caller.kind == "task" and call.caller.name == self._settings.task

    async def _intercept(self, call: InterceptedCall) -> None:
        if not self._concerns(call):
            return
        self._counts.update(concerned=1, cut=1)
        if self._settings.how == "reset":
            raise CutOff
        await self._over.wait()  # what waited goes through, as packets sent again do
