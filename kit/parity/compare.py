"""Compares two runs, scenario by scenario."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..runner.outcome import SKIPPED
from .align import Difference, aligned, beside_each_other
from .observation import SeenCheck, SeenRun, SeenScenario, SeenStep
from .substitution import Substitution
from .values import Text, apart


@dataclass(frozen=True)
class Times:
    """How long something took in both runs, in AWS seconds."""

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
    """Checks of how long something took that only one clock was slow enough to make."""
    lacking: str = ""
    """Which cloud could not run it, and for want of what; nothing was compared then."""

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
    a: SeenRun
    b: SeenRun
    scenarios: Sequence[ScenarioParity]
    differences: Sequence[Difference] = field(default=())
    """Of the runs as wholes."""

    @property
    def all_differences(self) -> list[Difference]:
        return [*self.differences, *(each for one in self.scenarios for each in one.differences)]

    @property
    def compared(self) -> list[ScenarioParity]:
        return [one for one in self.scenarios if not one.lacking]

    def holds(self, *, strict: bool = False) -> bool:
        """Whether nothing differs but times and ids, and anything was compared at all; `strict`: and nothing was
        left out for want of a capability."""
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


def compare(a: SeenRun, b: SeenRun) -> Parity:
    """Both runs, side by side: the scenarios of either, in A's order."""
    pairs = Substitution()
    there, other = ({one.name: one for one in run.scenarios} for run in (a, b))
    names = [*there, *(name for name in other if name not in there)]
    scenarios = []
    for name in names:
        pairs = pairs.of_the_run()
        scenarios.append(_scenario(there.get(name), other.get(name), pairs))
    both = [name for name in names if name in there and name in other]
    told = []
    if both != [name for name in other if name in there]:
        told.append(Difference("order of scenarios", "differs", ", ".join(there), ", ".join(other)))
    for run, side in ((a, "A"), (b, "B")):
        if not run.has_history:
            told.append(Difference("checks", f"{side} has no history.jsonl: its checks cannot be compared"))
    return Parity(a, b, scenarios, told)


def _scenario(a: SeenScenario | None, b: SeenScenario | None, pairs: Substitution) -> ScenarioParity:
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
    told: list[Difference] = []
    if a.verdict != b.verdict:
        told.append(Difference("verdict", "differs", _verdict(a), _verdict(b)))
    differing, step_times = _steps(a.steps, b.steps, pairs)
    told += differing
    chance = {step.name for one in (a, b) for step in one.steps if step.by_chance}
    told += _checks(_compared(a.checks, chance), _compared(b.checks, chance), pairs)
    for step in sorted(chance):
        told += _kinds(a.checks, b.checks, step)
    for what in ("phases", "faults", "previews"):
        mine, other = getattr(a, what), getattr(b, what)
        if mine != other:
            told.append(Difference(what, "differ", ", ".join(mine), ", ".join(other)))
    return ScenarioParity(a.name, len(a.steps), len(a.checks), _times(a, b), step_times, told, _timed(a, b))


def _steps(a: Sequence[SeenStep], b: Sequence[SeenStep], pairs: Substitution) -> tuple[list[Difference], list[Times]]:
    told, together = aligned("step", _texts(each.name for each in a), _texts(each.name for each in b), pairs)
    times = []
    for at, bt in together:
        mine, other = a[at], b[bt]
        times.append(Times(mine.name, mine.aws_seconds, other.aws_seconds))
        if mine.held != other.held:
            told.append(Difference("step", "held in one only", _held(mine), _held(other), mine.name))
    return told, times


def _checks(a: Sequence[SeenCheck], b: Sequence[SeenCheck], pairs: Substitution) -> list[Difference]:
    """The scenario's own, in their order through all steps; then, step by step, those that ran beside it."""
    told, together = aligned("check", _said(a, 0), _said(b, 0), pairs)
    mine, other = _own(a), _own(b)
    for at, bt in together:
        if mine[at].step != other[bt].step and apart(mine[at].step).template != apart(other[bt].step).template:
            steps = (mine[at].step or "outside of any step", other[bt].step or "outside of any step")
            told.append(Difference("check", f"in another step: {mine[at].what}", *steps))
    beside_a, beside_b = _beside(a), _beside(b)
    for step in [*beside_a, *(each for each in beside_b if each not in beside_a)]:
        told += beside_each_other("check", beside_a.get(step, ()), beside_b.get(step, ()), pairs, step)
    return told


def _compared(checks: Iterable[SeenCheck], chance: Collection[str]) -> list[SeenCheck]:
    """Those whose number neither chance nor the clock decides."""
    return [each for each in checks if each.step not in chance and not each.of_time]


def _timed(a: SeenScenario, b: SeenScenario) -> list[str]:
    mine, other = (Counter(apart(_outcome(each)).template for each in one.checks if each.of_time) for one in (a, b))
    return sorted([*(mine - other).elements(), *(other - mine).elements()])


def _kinds(a: Iterable[SeenCheck], b: Iterable[SeenCheck], step: str) -> list[Difference]:
    """Of a step whose number of checks is a matter of chance: what is checked in one run and never in the other."""
    mine, other = (
        {apart(_outcome(each)).template: each for each in run if each.step == step and not each.of_time}
        for run in (a, b)
    )
    told = [Difference("check", "only in A", _outcome(mine[each]), where=step) for each in mine if each not in other]
    return told + [
        Difference("check", "only in B", b=_outcome(other[each]), where=step) for each in other if each not in mine
    ]


def _own(checks: Iterable[SeenCheck]) -> list[SeenCheck]:
    return [each for each in checks if each.strand == 0]


def _said(checks: Iterable[SeenCheck], strand: int) -> list[Text]:
    return _texts(_outcome(each) for each in checks if each.strand == strand)


def _beside(checks: Iterable[SeenCheck]) -> Mapping[str, list[list[Text]]]:
    """Step → its strands."""
    found: dict[str, dict[int, list[Text]]] = {}
    for each in checks:
        if each.strand:
            step = apart(each.step).template
            found.setdefault(step, {}).setdefault(each.strand, []).append(apart(_outcome(each)))
    return {step: list(strands.values()) for step, strands in found.items()}


def _outcome(check: SeenCheck) -> str:
    return check.what if check.outcome == "ok" else f"{check.what} ({check.outcome})"


def _texts(texts: Iterable[str]) -> list[Text]:
    return [apart(text) for text in texts]


def _held(step: SeenStep) -> str:
    return "held" if step.held else "did not hold"


def _verdict(one: SeenScenario) -> str:
    first = one.message.partition("\n")[0]
    return f"{one.verdict}: {first}" if first and one.verdict in (SKIPPED, "fail", "unknown", "infra") else one.verdict


def _times(a: SeenScenario | None, b: SeenScenario | None) -> Times:
    name = (a or b).name  # type: ignore[union-attr]  # one of them is there
    return Times(name, a.aws_seconds if a else None, b.aws_seconds if b else None)
