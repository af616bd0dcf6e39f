"""What came of a scenario, and how an exception is judged."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

from ..core.errors import Failed, InfraError, KitError
from ..core.measurement import Duration
from ..core.verdict import Verdict
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
    """What was made to go wrong."""
    previews: list[str] = field(default_factory=list)
    """What rendered the pages."""
    message: str = ""
    """Why it is not a pass; empty when it is."""
    evidence: tuple[str, ...] = ()
    cleaned: list[str] = field(default_factory=list)
    """What had to be taken away afterwards."""
    cloud_faults: list[str] = field(default_factory=list)
    """What the cloud told of faults of its own: told whatever the verdict is."""

    @property
    def unsound(self) -> str:
        """What is to be told of the ground it stood on; empty when that was sound."""
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


def judged(error: BaseException) -> tuple[Verdict, str]:
    """The verdict an exception stands for, and what to tell.

    What the system did wrong is a fail, what the ground did is infra; anything else is a fault of the kit
    or something nobody thought of: unknown, with its traceback.
    """
    if isinstance(error, Failed):
        return Verdict.FAIL, str(error)
    if isinstance(error, AssertionError):
        return Verdict.FAIL, str(error) or "an assertion without a message failed"
    if isinstance(error, InfraError):
        return Verdict.INFRA, str(error)
    if isinstance(error, KitError):
        return Verdict.UNKNOWN, str(error)
    return Verdict.UNKNOWN, "".join(traceback.format_exception(error)).strip()
