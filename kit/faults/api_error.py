"""API calls of a service fail with a status of 500 or above, before the service does anything.

The emulated cloud's gateway answers in the service's error format and counts. AWS itself cannot be made to fail; FIS
aws:network:disrupt-connectivity (scope dynamodb or s3) makes a service unreachable, which is `CutFromAws`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ..backends.capability import FAULT_API
from .context import FaultContext
from .emulator_fault import ApiFault, EmulatorFault
from .fault import Effect, Visibility


@dataclass(frozen=True)
class ApiError(ApiFault):
    """Let calls fail."""

    status: int = 500
    code: str | None = None
    """The error code; the service's usual one for this status when None."""
    probability: float = 1.0
    """Share of calls that fail, 0 to 1."""
    seed: int = 0

    needs: ClassVar[tuple[str, ...]] = (FAULT_API,)
    visibility: ClassVar[Visibility] = Visibility.BY_USE
    within: ClassVar[float] = 30.0

    async def inject(self, context: FaultContext) -> Effect:
        settings = {
            **self.concerned(context),
            "status": self.status,
            "code": self.code,
            "probability": self.probability,
            "seed": self.seed,
        }
        return await EmulatorFault.inject(context, "error", settings, did="failed", what="call(s) failed")
