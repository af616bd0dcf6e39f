"""The outcome of a scenario, and the verdict of an exception."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import Failed, InfraError, KitError
from ..core.measurement import Duration
from ..core.verdict import Verdict, combined
from ..faults.nemesis import Injection
from ..harness.phases import Timeline
from ..harness.steps import Step

SKIPPED = "skipped"


@dataclass
class Outcome:
    """A scenario's result. `verdict` is None when it was skipped."""

    name: str
    verdict: Verdict | None
    asserted: int = 0
    measured: Duration = field(default_factory=lambda: Duration(0.0, 0.0))
    journeys: list[Timeline] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    faults: list[Injection] = field(default_factory=list)
    """The injected faults."""
    previews: list[str] = field(default_factory=list)
    """The renderers of its pages."""
    message: str = ""
    """Why it did not pass; empty for a pass."""
    evidence: tuple[str, ...] = ()
    cleaned: list[str] = field(default_factory=list)
    """The leftovers that had to be removed."""
    cloud_faults: list[str] = field(default_factory=list)
    """Internal errors of the cloud, reported whatever the verdict is."""

    @property
    def unsound(self) -> str:
        """A message about the cloud's internal errors; empty when there are none."""
        faults = self.cloud_faults
        return f"the cloud itself had {len(faults)} fault(s), the first: {faults[0]}" if faults else ""

    def to_json(self) -> dict[str, Any]:
        error = {"error": {"message": self.message, "evidence": list(self.evidence)}} if self.message else {}
        return {
            "name": self.name,
            "verdict": SKIPPED if self.verdict is None else str(self.verdict),
            "asserted": self.asserted,
            **self.measured.to_json(),
            "phases": [phase for journey in self.journeys for phase in journey.to_json()],
            "steps": [step.to_json() for step in self.steps],
            **({"faults": [fault.to_json() for fault in self.faults]} if self.faults else {}),
            **({"previews": self.previews} if self.previews else {}),
            **error,
            **({"cleaned": self.cleaned} if self.cleaned else {}),
            **({"cloud_faults": self.cloud_faults} if self.cloud_faults else {}),
        }


def verdict_of(error: BaseException) -> tuple[Verdict, str]:
    """The verdict that an exception means, and its message.

    A wrong behaviour of the system is a fail, one of the cloud is infra; anything else is unknown, with its traceback.
    A group of exceptions, as an `asyncio.TaskGroup` raises it, has the gravest verdict and all messages.
    """
    if isinstance(error, BaseExceptionGroup):
        verdicts, messages = zip(*map(verdict_of, error.exceptions), strict=True)
        return combined(verdicts), "\n".join(dict.fromkeys(messages))
    if isinstance(error, Failed):
        return Verdict.FAIL, str(error)
    if isinstance(error, AssertionError):
        return Verdict.FAIL, str(error) or "an assertion without a message failed"
    if isinstance(error, InfraError):
        return Verdict.INFRA, str(error)
    if isinstance(error, KitError):
        return Verdict.UNKNOWN, str(error)
    return Verdict.UNKNOWN, "".join(traceback.format_exception(error)).strip()
