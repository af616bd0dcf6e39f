"""Compares two runs, scenario by scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..runner.outcome import SKIPPED
from . import seed
from .align import Difference, align, align_strands
from .observation import RecordedCheck, RecordedRun, RecordedScenario, RecordedStep
from .substitution import Substitution
from .values import Text, parse


@dataclass(frozen=True)
class Times:
    """A duration in both runs, in AWS seconds."""

    name: str
    a: float | None
    b: float | None

    @property
    def ratio(self) -> float | None:
        """B to A."""
        return None if not self.a or self.b is None else self.b / self.a

    def to_json(self) -> dict[str, Any]:
        ratio = None if self.ratio is None else round(self.ratio, 3)
        return {"name": self.name, "a_aws_seconds": self.a, "b_aws_seconds": self.b, "ratio": ratio}


@dataclass(frozen=True)
class ScenarioParity:
    name: str
    steps: int
    checks: int
    times: Times
    step_times: Sequence[Times]
    differences: Sequence[Difference]
    timed: Sequence[str] = ()
    """Checks of durations that only one run's clock was slow enough to make."""
    lacking: str = ""
    """The cloud that could not run it and the missing capability; nothing was compared then."""

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "steps": self.steps,
            "checks": self.checks,
            "lacking": self.lacking,
            "judged_in_one": list(self.timed),
            "differences": [each.to_json() for each in self.differences],
            **{name: value for name, value in self.times.to_json().items() if name != "name"},
            "step_times": [each.to_json() for each in self.step_times],
        }


@dataclass(frozen=True)
class Parity:
    a: RecordedRun
    b: RecordedRun
    scenarios: Sequence[ScenarioParity]
    differences: Sequence[Difference] = field(default=())
    """Differences of the runs outside of scenarios."""
    of_one_seed: str = ""
    """What else was compared, in words."""

    @property
    def all_differences(self) -> list[Difference]:
        return [*self.differences, *(each for one in self.scenarios for each in one.differences)]

    @property
    def compared(self) -> list[ScenarioParity]:
        return [one for one in self.scenarios if not one.lacking]

    def holds(self, *, strict: bool = False) -> bool:
        """Whether at least one scenario was compared and only times and ids differ; `strict`: and no scenario was
        left out for a missing capability."""
        complete = not strict or len(self.compared) == len(self.scenarios)
        return bool(self.compared) and complete and not self.all_differences

    def to_json(self) -> dict[str, Any]:
        return {
            "a": {"folder": str(self.a.folder), **self.a.about},
            "b": {"folder": str(self.b.folder), **self.b.about},
            "holds": self.holds(),
            "differences": [each.to_json() for each in self.differences],
            "scenarios": [each.to_json() for each in self.scenarios],
        }


def compare(a: RecordedRun, b: RecordedRun, *, times: bool = False) -> Parity:
    """Compares the scenarios of both runs, in A's order. `times`: also every operation of each strand and the delays
    that the clouds drew, which are the same in runs of one seed."""
    pairs = Substitution()
    there, other = ({one.name: one for one in run.scenarios} for run in (a, b))
    names = [*there, *(name for name in other if name not in there)]
    scenarios = []
    for name in names:
        pairs = pairs.of_the_run()
        scenarios.append(_scenario(there.get(name), other.get(name), pairs, times=times))
    both = [name for name in names if name in there and name in other]
    found = []
    if both != [name for name in other if name in there]:
        found.append(Difference("order of scenarios", "differs", ", ".join(there), ", ".join(other)))
    for run, side in ((a, "A"), (b, "B")):
        if not run.has_history:
            found.append(Difference("checks", f"{side} has no history.jsonl: its checks cannot be compared"))
    if not times:
        return Parity(a, b, scenarios, found)
    done = sum(len(one.operations) for one in a.scenarios)
    return Parity(
        a,
        b,
        scenarios,
        [*found, *seed.delays(a, b)],
        f"{done} operations and {len(a.delays.keys() & b.delays.keys())} delays of the cloud",
    )


def _scenario(
    a: RecordedScenario | None, b: RecordedScenario | None, pairs: Substitution, *, times: bool
) -> ScenarioParity:
    some = a or b
    assert some is not None
    if a is None or b is None:
        only = Difference(
            "scenario", "only in A" if b is None else "only in B", a.name if a else "", b.name if b else ""
        )
        return ScenarioParity(some.name, len(some.steps), len(some.checks), _times(a, b), (), (only,))
    lacking = [f"{side} has no {one.lacking}" for one, side in ((a, "A"), (b, "B")) if one.lacking]
    if lacking:
        return ScenarioParity(a.name, 0, 0, _times(a, b), (), (), lacking="; ".join(lacking))
    found: list[Difference] = []
    if a.verdict != b.verdict:
        found.append(Difference("verdict", "differs", _verdict(a), _verdict(b)))
    differing, step_times = _steps(a.steps, b.steps, pairs)
    found += differing
    chance = {step.name for one in (a, b) for step in one.steps if step.by_chance}
    found += _checks(_compared(a.checks, chance), _compared(b.checks, chance), pairs)
    for step in sorted(chance):
        found += _kinds(a.checks, b.checks, step)
    if times:
        found += seed.operations(a.operations, b.operations, chance, pairs)
    for what in ("phases", "faults", "previews"):
        mine, other = getattr(a, what), getattr(b, what)
        if mine != other:
            found.append(Difference(what, "differ", ", ".join(mine), ", ".join(other)))
    return ScenarioParity(a.name, len(a.steps), len(a.checks), _times(a, b), step_times, found, _timed(a, b))


def _steps(
    a: Sequence[RecordedStep], b: Sequence[RecordedStep], pairs: Substitution
) -> tuple[list[Difference], list[Times]]:
    found, together = align("step", _texts(each.name for each in a), _texts(each.name for each in b), pairs)
    times = []
    for at, bt in together:
        mine, other = a[at], b[bt]
        times.append(Times(mine.name, mine.aws_seconds, other.aws_seconds))
        if mine.held != other.held:
            found.append(Difference("step", "held in one only", _held(mine), _held(other), mine.name))
    return found, times


def _checks(a: Sequence[RecordedCheck], b: Sequence[RecordedCheck], pairs: Substitution) -> list[Difference]:
    """Compares the scenario's checks in their order through all steps; then, step by step, those of its strands."""
    found, together = align("check", _said(a, 0), _said(b, 0), pairs)
    mine, other = _own(a), _own(b)
    for at, bt in together:
        if mine[at].step != other[bt].step and parse(mine[at].step).template != parse(other[bt].step).template:
            steps = (mine[at].step or "outside of any step", other[bt].step or "outside of any step")
            found.append(Difference("check", f"in another step: {mine[at].what}", *steps))
    beside_a, beside_b = _beside(a), _beside(b)
    for step in [*beside_a, *(each for each in beside_b if each not in beside_a)]:
        found += align_strands("check", beside_a.get(step, ()), beside_b.get(step, ()), pairs, step)
    return found


def _compared(checks: Iterable[RecordedCheck], chance: Collection[str]) -> list[RecordedCheck]:
    """Checks whose number depends neither on chance nor on the clock."""
    return [each for each in checks if each.step not in chance and not each.timed]


def _timed(a: RecordedScenario, b: RecordedScenario) -> list[str]:
    mine, other = (Counter(parse(_outcome(each)).template for each in one.checks if each.timed) for one in (a, b))
    return sorted([*(mine - other).elements(), *(other - mine).elements()])


def _kinds(a: Iterable[RecordedCheck], b: Iterable[RecordedCheck], step: str) -> list[Difference]:
    """Compares a step whose number of checks varies: the checks of only one run."""
    mine, other = (
        {parse(_outcome(each)).template: each for each in run if each.step == step and not each.timed} for run in (a, b)
    )
    found = [Difference("check", "only in A", _outcome(mine[each]), where=step) for each in mine if each not in other]
    return found + [
        Difference("check", "only in B", b=_outcome(other[each]), where=step) for each in other if each not in mine
    ]


def _own(checks: Iterable[RecordedCheck]) -> list[RecordedCheck]:
    return [each for each in checks if each.strand == 0]


def _said(checks: Iterable[RecordedCheck], strand: int) -> list[Text]:
    return _texts(_outcome(each) for each in checks if each.strand == strand)


def _beside(checks: Iterable[RecordedCheck]) -> Mapping[str, list[list[Text]]]:
    """Step → strands."""
    found: dict[str, dict[int, list[Text]]] = {}
    for each in checks:
        if each.strand:
            step = parse(each.step).template
            found.setdefault(step, {}).setdefault(each.strand, []).append(parse(_outcome(each)))
    return {step: list(strands.values()) for step, strands in found.items()}


def _outcome(check: RecordedCheck) -> str:
    return check.what if check.outcome == "ok" else f"{check.what} ({check.outcome})"


def _texts(texts: Iterable[str]) -> list[Text]:
    return [parse(text) for text in texts]


def _held(step: RecordedStep) -> str:
    return "held" if step.held else "did not hold"


def _verdict(one: RecordedScenario) -> str:
    first = one.message.partition("\n")[0]
    return f"{one.verdict}: {first}" if first and one.verdict in (SKIPPED, "fail", "unknown", "infra") else one.verdict


def _times(a: RecordedScenario | None, b: RecordedScenario | None) -> Times:
    name = (a or b).name  # type: ignore[union-attr]  # one of them is there
    return Times(name, a.aws_seconds if a else None, b.aws_seconds if b else None)
