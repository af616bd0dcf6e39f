"""Explores the space of mixes: Hypothesis draws them, a cloud performs them, and the first failure is made small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given
from hypothesis.strategies import SearchStrategy

from ..core.clock import Clock
from ..core.verdict import Verdict
from .journal import Journal
from .kept import Kept
from .mix import Mix
from .performance import Coverage, Judgement
from .shrink import shrink
from .strategies import events_of
from .subject import Subject

_AT_ONCE = 8
"""Mixes that Hypothesis draws before it begins anew with another seed."""
REPEATS = 3
"""How often a failure is repeated before it counts as certain."""


@dataclass(frozen=True)
class Budget:
    """When an exploration ends."""

    examples: int = 200
    seconds: float = 300.0
    """Wall seconds to draw new mixes in."""
    shrinking: float = 60.0
    """Wall seconds to make a failure smaller in."""


@dataclass
class Explored:
    """The result of an exploration."""

    examples: int = 0
    """Performed ones, shrinking included."""
    first: int = 0
    """The number of the first one that failed; 0 if none did."""
    unknown: list[Judgement] = field(default_factory=list)
    """Mixes whose verdict is not known."""
    failure: Judgement | None = None
    """The smallest mix that failed."""
    kept: Kept | None = None
    """It, with how often it failed when it was repeated."""
    file: Path | None = None
    """Where it is kept."""
    coverage: Coverage = field(default_factory=Counter)
    seconds: float = 0.0
    out_of_time: bool = False


Perform = Callable[[Mix], Judgement]
Progress = Callable[[int, Judgement, bool], None]
"""Called after each example: its number, its judgement, and whether a failure is being made smaller."""


class Explorer:
    """One exploration of a subject; `explore` runs it once."""

    def __init__(
        self, perform: Perform, subject: Subject, journal: Journal, budget: Budget, progress: Progress
    ) -> None:
        self._perform = perform
        self._subject = subject
        self._journal = journal
        self._budget = budget
        self._progress = progress
        self._clock = Clock()
        self._passed: set[str] = {id for id, verdict in journal.known.items() if verdict is not Verdict.FAIL}
        self._shrinking = False
        self._until = 0.0
        self.explored = Explored()

    def explore(self, strategy: SearchStrategy[Mix]) -> Explored:
        """Draw, perform and judge mixes within the budget; stops at a failure, shrunk and repeated."""
        began = self._clock.monotonic()
        self._until = began + self._budget.seconds
        first: Judgement | None = None
        try:
            number = 0
            # Hypothesis soon draws variations of what it has drawn; beginning anew keeps the mixes different.
            while self.explored.examples < self._budget.examples:
                self._draw(strategy, self._journal.seed + number)
                number += 1
        except _FoundError as found:
            first = found.judged
        except StoppedError as stopped:
            if stopped.error is not None:
                raise stopped.error from None
            self.explored.out_of_time = True
        if first is not None:
            self.explored.first = self.explored.examples
            self.explored.kept = self.shrink(first)
        self.explored.seconds = self._clock.monotonic() - began
        return self.explored

    def shrink(self, first: Judgement) -> Kept:
        """The smallest form of a mix that fails, within the budget, and how often it fails when it is repeated."""
        self._shrinking, self._until = True, self._clock.monotonic() + self._budget.shrinking
        smallest, reasons = first, first.failed_checkers

        def fails(mix: Mix) -> bool:
            nonlocal smallest
            if self._clock.monotonic() > self._until:
                raise StoppedError
            judged = self._judged(mix)
            # A mix that fails for another reason is another finding.
            same = not reasons.isdisjoint(judged.failed_checkers)
            smallest = judged if same else smallest
            return same

        with suppress(StoppedError):
            shrink(first.mix, self._subject, fails)
        self.explored.failure = smallest
        failed = sum(self._judged(smallest.mix).failed for _ in range(REPEATS))
        return Kept(
            smallest.mix,
            findings={name: finding.message for name, finding in smallest.findings},
            witness=smallest.witness(),
            failed=failed,
            repeated=REPEATS,
            found={"seed": self._journal.seed, "size": first.mix.size, "scenario": smallest.scenario},
        )

    def _draw(self, strategy: SearchStrategy[Mix], seed: int) -> None:
        """Perform a few mixes. Raises `_FoundError` for the first that fails, `StoppedError` when the time is over."""

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=_AT_ONCE,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            print_blob=False,
        )
        @given(strategy)
        def example(mix: Mix) -> None:
            if self._clock.monotonic() > self._until:
                raise StoppedError
            if mix.id in self._passed or self.explored.examples >= self._budget.examples:
                return
            for event in events_of(mix):
                hypothesis.event(event)
            try:
                judged = self._judged(mix)
            except Exception as error:
                raise StoppedError(error) from error
            if judged.failed:
                raise _FoundError(judged)
            self._passed.add(mix.id)

        example()

    def _judged(self, mix: Mix) -> Judgement:
        judged = self._perform(mix)
        self._journal.add(judged)
        self.explored.examples += 1
        if judged.verdict is Verdict.UNKNOWN:
            self.explored.unknown.append(judged)
        self._progress(self.explored.examples, judged, self._shrinking)
        return judged


class _FoundError(BaseException):
    """Ends Hypothesis with the first mix that failed."""

    def __init__(self, judged: Judgement) -> None:
        super().__init__(judged.text())
        self.judged = judged


class StoppedError(BaseException):
    """Ends Hypothesis at once; it takes every `Exception` for a failure of the example."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(error)
        self.error = error
        """What went wrong with the performance itself; None when the time is over."""
