"""A service, or one of its operations, throttles calls.

    task --> gateway --[ token bucket (AWS seconds), or a seeded coin ]--> service
                  \\--> the service's own throttling error: code, status, ThrottlingReasons

The emulated cloud's gateway answers in the service's place and counts. On AWS only DynamoDB can be throttled, by its
on-demand maximum throughput (`dynamodb_throughput`): all of the stack's tables, for all callers. A rate is request
units a second there; a probability takes its share of ten. FIS throttles EC2 and Kinesis calls alone.

SDKs retry throttled calls: the system under test sees what its retries leave over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from ..backends.capability import FAULT_THROTTLE
from ..core.errors import UsageError
from .context import FaultContext
from .dynamodb_throughput import ThroughputLimit
from .emulator_fault import ApiFault, Counter
from .fault import Effect


@dataclass(frozen=True)
class Throttle(ApiFault):
    """Throttle by probability (by default all calls) or to a rate."""

    probability: float | None = None
    """Share of calls refused, 0 to 1; without it and without a rate, all are."""
    rate: float | None = None
    """Calls let through per AWS second."""
    burst: float | None = None
    """Calls let through at once after a pause; one second's, and at least one, when None."""
    code: str | None = None
    """The error code, when not the service's usual one."""
    seed: int = 0

    counter = Counter("throttle", "throttled", "call(s) throttled")
    needs: ClassVar[tuple[str, ...]] = (FAULT_THROTTLE,)
    within = 240.0
    """CloudWatch reports a minute's throttled calls one to three minutes later."""

    def __post_init__(self) -> None:
        if self.probability is not None and self.rate is not None:
            raise UsageError("a Throttle takes a probability or a rate, not both")

    async def inject(self, context: FaultContext) -> Effect:
        if self.probability is None and self.rate is None:
            return await replace(self, probability=1.0).inject(context)
        if context.fault_api is not None:
            return await super().inject(context)
        share = 1.0 if self.probability is None else self.probability
        return await ThroughputLimit.inject(context, self.service, self.operation, probability=share, rate=self.rate)
