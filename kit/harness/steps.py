"""The named steps of a scenario: when each began and ended, what it asserted, and against which target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..core.clock import Clock, iso
from ..core.measurement import Measured
from .checks import Checks


@dataclass
class Step:
    """One step, under way or ended."""

    name: str
    started_aws: float
    target: float | None = None
    """AWS seconds it should take at most."""
    measured: Measured | None = None
    asserted: int = 0
    held: bool = False
    by_chance: bool = False
    """How often it checks what it checks is a matter of chance: of how many calls were refused, for example."""

    def to_json(self) -> dict[str, Any]:
        times = {} if self.measured is None else self.measured.to_json()
        chance = {"by_chance": True} if self.by_chance else {}
        step = {"name": self.name, "held": self.held, "asserted": self.asserted, "at": iso(self.started_aws)}
        return {**step, **chance, **times}


class StepListener(Protocol):
    """Follows a scenario while it runs; a console does. Must not raise."""

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
    """Asked before every step; by raising it keeps the step from beginning."""

    def measured(self, name: str, measured: Measured) -> None:
        """A step that was measured otherwise than by its block: a span between two things that were seen."""
        began = self.clock.now() - measured.aws_seconds
        step = Step(name, began, measured.target, measured, held=measured.met is not False)
        step.asserted = int(measured.met is not None)
        self.all.append(step)
        if self.listener:
            self.listener.step_ended(step)

    @contextmanager
    def step(self, name: str, *, target: float | None = None, by_chance: bool = False) -> Iterator[Step]:
        """A step around its block; it held when the block raised nothing and its target was not certainly missed.

        Raises `CheckFailed` for a target that was missed by this clock and by any other; see `Measured.met`.
        """
        __tracebackhide__ = True
        if self.gate:
            self.gate()
        step = Step(name, self.clock.now(), target, by_chance=by_chance)
        wall, asserted = self.clock.monotonic(), self.checks.asserted

        def elapsed() -> Measured:
            seconds = self.clock.monotonic() - wall
            return Measured(seconds * self.clock.scale, seconds, target)

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

    def _missed(self, name: str, measured: Measured) -> None:
        __tracebackhide__ = True
        self.checks.check(
            False,
            f"step {name!r} within {measured.target:g} AWS s",
            seen=f"{measured.aws_seconds:.1f} AWS s = {measured.seconds:.1f} s on this machine, all else held",
            next="see which phase took so long: kit report; the target is a budget of the settings, [timeouts]",
            target=measured.target,
        )
