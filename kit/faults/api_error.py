"""API calls of a service fail with a status of 500 or above, before the service does anything.

The emulated cloud's gateway answers in the service's error format and counts. AWS itself cannot be made to fail; FIS
aws:network:disrupt-connectivity (scope dynamodb or s3) makes a service unreachable, which is `CutFromAws`.
"""

from __future__ import annotations

from dataclasses import dataclass

from .emulator_fault import ApiFault, Counter


@dataclass(frozen=True)
class ApiError(ApiFault):
    """Let calls fail."""

    status: int = 500
    code: str | None = None
    """The error code; the service's usual one for this status when None."""
    probability: float = 1.0
    """Share of calls that fail, 0 to 1."""
    seed: int = 0

    counter = Counter("error", "failed", "call(s) failed")
