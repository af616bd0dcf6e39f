"""The named steps of a scenario, with their times, targets and numbers of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..core.clock import Clock, iso
from ..core.measurement import Duration
from .checks import Checks


@dataclass
class Step:
    """A step, running or ended."""

    name: str
    started_aws: float
    target: float | None = None
    """AWS seconds it should take at most."""
    measured: Duration | None = None
    asserted: int = 0
    held: bool = False
    by_chance: bool = False
    """The number of checks varies between runs, for example with the number of refused calls."""

    def to_json(self) -> dict[str, Any]:
        times = {} if self.measured is None else self.measured.to_json()
        chance = {"by_chance": True} if self.by_chance else {}
        step = {"name": self.name, "held": self.held, "asserted": self.asserted, "at": iso(self.started_aws)}
        return {**step, **chance, **times}


class StepListener(Protocol):
    """Observes a running scenario, as the console does. Must not raise."""

    def step_started(self, step: Step) -> None: ...

    def step_ended(self, step: Step) -> None: ...


@dataclass
class Steps:
    """Collects steps in the order in which they began."""

    clock: Clock
    checks: Checks
    listener: StepListener | None = None
    all: list[Step] = field(default_factory=list)
    gate: Callable[[], None] | None = None
    """Called before every step; an exception prevents the step."""

    def measured(self, name: str, measured: Duration) -> None:
        """Add a step without a block: a measured span between two observations."""
        began = self.clock.now() - measured.aws_seconds
        step = Step(name, began, measured.target, measured, held=measured.met is not False)
        step.asserted = int(measured.met is not None)
        self.all.append(step)
        if self.listener:
            self.listener.step_ended(step)

    @contextmanager
    def step(self, name: str, *, target: float | None = None, by_chance: bool = False) -> Iterator[Step]:
        """Run the block as a step; it holds when nothing is raised and its target is not certainly missed.

        Raises `CheckFailed` for a target that is missed on any clock; see `Duration.met`.
        """
        __tracebackhide__ = True
        if self.gate:
            self.gate()
        step = Step(name, self.clock.now(), target, by_chance=by_chance)
        began, asserted = self.clock.moment(), self.checks.asserted

        def elapsed() -> Duration:
            return Duration.since(began, self.clock, target)

        self.all.append(step)
        if self.listener:
            self.listener.step_started(step)
        try:
            with self.checks.history.step(name):
                yield step
                step.measured = elapsed()
                if step.measured.met is False:
                    self._missed(step.name, step.measured)
            step.held = True
        finally:
            step.measured = step.measured or elapsed()
            step.asserted = self.checks.asserted - asserted
            if self.listener:
                self.listener.step_ended(step)

    def _missed(self, name: str, measured: Duration) -> None:
        __tracebackhide__ = True
        self.checks.check(
            False,
            f"step {name!r} within {measured.target:g} AWS s",
            seen=f"{measured.aws_seconds:.1f} AWS s{measured.on_this_machine}, all else held",
            next="see which phase took so long: kit report; the target is a budget of the settings, [timeouts]",
            target=measured.target,
        )
