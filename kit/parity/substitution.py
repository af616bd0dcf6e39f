"""Maps values of one run to those of the other: one to one, learned pair by pair."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .values import OF_THE_RUN, Text

Value = tuple[str, str]
"""Kind and value."""


@dataclass
class Substitution:
    """A growing one-to-one map between the values of two runs."""

    there: dict[Value, Value] = field(default_factory=dict)
    back: dict[Value, Value] = field(default_factory=dict)

    def conflict(self, a: Text, b: Text) -> str:
        """Why these texts of one template contradict the map; empty when they do not. Learns nothing."""
        there: dict[Value, Value] = {}
        back: dict[Value, Value] = {}
        for mine, other in zip(a.values, b.values, strict=True):
            known = self.there.get(mine) or there.get(mine)
            if known is not None and known != other:
                return f"{mine[1]} stood for {known[1]} before, not for {other[1]}"
            known = self.back.get(other) or back.get(other)
            if known is not None and known != mine:
                return f"{other[1]} stood for {known[1]} before, not for {mine[1]}"
            there[mine], back[other] = other, mine
        return ""

    def learn(self, a: Text, b: Text) -> None:
        """Adds the pairs of their values, which must not conflict."""
        for mine, other in zip(a.values, b.values, strict=True):
            self.there[mine], self.back[other] = other, mine

    def agrees(self, pairs: Iterable[tuple[Text, Text]]) -> bool:
        """Whether all of these pairs are consistent; if so they are learned."""
        trial = self.copy()
        for a, b in pairs:
            if a.template != b.template or trial.conflict(a, b):
                return False
            trial.learn(a, b)
        self.there, self.back = trial.there, trial.back
        return True

    def copy(self) -> Substitution:
        return Substitution(dict(self.there), dict(self.back))

    def of_the_run(self) -> Substitution:
        """The pairs that hold beyond a scenario: addresses, domains, accounts."""
        return Substitution(
            {mine: other for mine, other in self.there.items() if mine[0] in OF_THE_RUN},
            {other: mine for other, mine in self.back.items() if other[0] in OF_THE_RUN},
        )
