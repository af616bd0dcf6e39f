"""Whether a break was detected, and for the reason that it declares."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..core.verdict import Verdict
from ..runner.outcome import Outcome
from .breaking import Break


@dataclass(frozen=True)
class Detection:
    """Whether the kit noticed a break."""

    name: str
    scenario: str
    caught: bool
    why: str
    """What was seen, in one line when it was caught."""
    seconds: float = 0.0
    """Wall seconds."""


def judge(name: str, broken: Break, outcome: Outcome) -> Detection:
    """Red is not enough: the message has to point at the cause."""
    found = re.search(broken.says, outcome.message)
    step = next((step.name for step in outcome.steps if not step.held), "no step")
    if outcome.verdict is Verdict.PASS:
        why = "GREEN: the scenario passed on a broken system"
    elif outcome.verdict is not Verdict.FAIL:
        why = f"NOT DECIDED: {outcome.verdict or 'skipped'}: {outcome.message}"
    elif found is None:
        why = f"RED FOR ANOTHER REASON than {broken.says!r}: {outcome.message}"
    elif not re.search(broken.step, step):
        why = f"RED IN ANOTHER STEP than {broken.step!r}, in {step!r}: {outcome.message}"
    else:
        why = " ".join(found[0].split())
    caught = outcome.verdict is Verdict.FAIL and found is not None and re.search(broken.step, step) is not None
    return Detection(name, broken.scenario, caught, why, outcome.measured.seconds or 0.0)


def sound(outcome: Outcome) -> Detection:
    """The other way round: on a system that is not broken the scenario passes, or its red shows nothing."""
    passed = outcome.verdict is Verdict.PASS
    why = "passes" if passed else f"{outcome.verdict or 'skipped'} although nothing is broken: {outcome.message}"
    return Detection("(nothing broken)", outcome.name, passed, why, outcome.measured.seconds or 0.0)
