"""One measured figure, its target, and the table they make."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`target` is in the figure's own unit; `at_least` says on which side of it is good."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False
    beside: str = ""
    """The peer's figure from the same run, in words."""

    @property
    def holds(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def row(self) -> str:
        bound = "" if self.target is None else f"{'≥' if self.at_least else '≤'} {self.target:g} {self.unit}"
        verdict = {True: "holds", False: "**missed**", None: ""}[self.holds]
        return f"| {self.name} | {self.value:.3g} {self.unit} | {bound} | {verdict} | {self.beside} |"


def table(figures: Iterable[Figure]) -> str:
    head = "| what | measured | target | | beside it, same run |\n|---|---|---|---|---|"
    return "\n".join([head, *(figure.row() for figure in figures)])


def median_seconds(action: Callable[[], object], times: int) -> float:
    """The median of single wall times."""
    return statistics.median(_timed(action) for _ in range(times))


def rate(action: Callable[[], object], times: int) -> float:
    """Actions a second, one after the other."""
    return times / _timed(lambda: [action() for _ in range(times)])


def alternating(actions: dict[str, Callable[[], object]], *, rounds: int, times: int) -> dict[str, float]:
    """The median rate of each action, measured in turn so that a noisy moment meets all of them alike."""
    rates: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            rates[name].append(rate(action, times))
    return {name: statistics.median(values) for name, values in rates.items()}


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
