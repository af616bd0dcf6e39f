"""Explores the space of mixes: Hypothesis draws them, a cloud performs them, and the first failure is made small."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, given
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from ..core.clock import Clock
from ..core.verdict import Verdict
from .journal import Journal
from .kept import Kept
from .mix import Mix
from .performance import Coverage, Judgement
from .strategies import events_of

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
    """One exploration; `explore` runs it once."""

    def __init__(self, perform: Perform, journal: Journal, budget: Budget, progress: Progress) -> None:
        self._perform = perform
        self._journal = journal
        self._budget = budget
        self._progress = progress
        self._clock = Clock()
        self._failed: dict[str, Judgement] = {}
        self._passed: set[str] = {id for id, verdict in journal.known.items() if verdict is not Verdict.FAIL}
        self._first: Judgement | None = None
        self._smallest: Judgement | None = None
        """The last one that failed: Hypothesis goes on from it to smaller ones."""
        self._shrinking_until = 0.0
        self.explored = Explored()

    def explore(self, strategy: SearchStrategy[Mix], database: ExampleDatabase | None = None) -> Explored:
        """Draw, perform and judge mixes within the budget; stops at a failure, shrunk and repeated."""
        began = self._clock.monotonic()
        try:
            number = 0
            # Hypothesis soon draws variations of what it has drawn; beginning anew keeps the mixes different.
            while self.explored.examples < self._budget.examples:
                self._draw(strategy, database, self._journal.seed + number, began + self._budget.seconds)
                number += 1
        except StoppedError:
            self.explored.out_of_time = True
        except _FoundError as found:
            self._smallest = found.judged
        if self._smallest is not None:
            self.explored.failure = self._smallest
            self.explored.kept = self._repeated(self._smallest)
        self.explored.seconds = self._clock.monotonic() - began
        return self.explored

    def _draw(self, strategy: SearchStrategy[Mix], database: ExampleDatabase | None, seed: int, until: float) -> None:
        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=_AT_ONCE,
            database=database,
            deadline=None,
            phases=(Phase.reuse, Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(strategy)
        def example(mix: Mix) -> None:
            if self._clock.monotonic() > (until if self._first is None else self._shrinking_until):
                raise StoppedError
            if self._first is None and self.explored.examples >= self._budget.examples:
                return
            for event in events_of(mix):
                hypothesis.event(event)
            self._example(mix)

        example()

    def _example(self, mix: Mix) -> None:
        """Raises `_FoundError`, from one place: Hypothesis tells failures apart by their line."""
        if mix.id not in self._failed and not self._passes(mix):
            self._first = self._first or self._failed[mix.id]
        if mix.id in self._failed:
            raise _FoundError(self._failed[mix.id])

    def _passes(self, mix: Mix) -> bool:
        """Whether a mix passes. It is performed once, though Hypothesis asks for the same one several times."""
        if mix.id in self._passed:
            return True
        judged = self._judged(mix)
        self._journal.add(judged)
        if not judged.failed:
            self._passed.add(mix.id)
            return True
        self._failed[mix.id] = self._smallest = judged
        if self._first is None:
            self._shrinking_until = self._clock.monotonic() + self._budget.shrinking
        return False

    def _judged(self, mix: Mix) -> Judgement:
        judged = self._perform(mix)
        self.explored.examples += 1
        if judged.verdict is Verdict.UNKNOWN:
            self.explored.unknown.append(judged)
        self._progress(self.explored.examples, judged, self._first is not None)
        return judged

    def _repeated(self, smallest: Judgement) -> Kept:
        """The smallest mix with its rate: a mix that fails only sometimes is flaky, and says so."""
        failed = sum(self._judged(smallest.mix).failed for _ in range(REPEATS))
        assert self._first is not None
        return Kept(
            smallest.mix,
            findings={name: finding.message for name, finding in smallest.findings},
            witness=smallest.witness(),
            failed=failed,
            repeated=REPEATS,
            found={"seed": self._journal.seed, "size": self._first.mix.size, "scenario": smallest.scenario},
        )


class _FoundError(Exception):
    """A checker found a violation; Hypothesis sees one kind of failure, whatever the mix."""

    def __init__(self, judged: Judgement) -> None:
        super().__init__(judged.text())
        self.judged = judged


class StoppedError(BaseException):
    """Ends Hypothesis at once; it takes every `Exception` for a failure of the example."""
