"""Prices a run's use: fixed and marginal cost, and each scenario's share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .prices import PriceTable


@dataclass(frozen=True)
class Item:
    """A quantity with a price."""

    price: str
    """The price's key."""
    quantity: float
    what: str
    """The service, table or queue that used it."""
    scenario: str = ""
    """The scenario that used it; empty for fixed cost and between scenarios."""
    fixed: bool = False
    """Charged while the resource exists, used or not."""


@dataclass(frozen=True)
class BillLine:
    """All items with the same price and user."""

    price: str
    what: str
    quantity: float
    usd: float
    fixed: bool


@dataclass(frozen=True)
class Bill:
    """Items with their prices."""

    items: Sequence[Item]
    table: PriceTable

    @property
    def usd(self) -> float:
        return self.marginal + self.fixed

    @property
    def marginal(self) -> float:
        """The cost of the run's use."""
        return sum(self._price(item) for item in self.items if not item.fixed)

    @property
    def fixed(self) -> float:
        """The cost of the existing resources."""
        return sum(self._price(item) for item in self.items if item.fixed)

    def by_scenario(self) -> dict[str, float]:
        """Scenario → marginal dollars; the empty name collects the use between scenarios."""
        shares: dict[str, float] = defaultdict(float)
        for item in self.items:
            if not item.fixed:
                shares[item.scenario] += self._price(item)
        return dict(shares)

    def lines(self) -> list[BillLine]:
        """One line for each price and user, most expensive first."""
        quantities: dict[tuple[str, str, bool], float] = defaultdict(float)
        for item in self.items:
            quantities[item.price, item.what, item.fixed] += item.quantity
        lines = [
            BillLine(price, what, quantity, self.table.usd(price, quantity), fixed)
            for (price, what, fixed), quantity in quantities.items()
        ]
        return sorted(lines, key=lambda line: (-line.usd, line.price, line.what))

    def to_json(self) -> dict[str, Any]:
        return {
            "usd": _rounded(self.usd),
            "marginal_usd": _rounded(self.marginal),
            "fixed_usd": _rounded(self.fixed),
            "lines": [
                {
                    "what": line.what,
                    "price": line.price,
                    "quantity": _rounded(line.quantity),
                    "unit": self.table[line.price].unit,
                    "usd": _rounded(line.usd),
                    "fixed": line.fixed,
                }
                for line in self.lines()
            ],
        }

    def _price(self, item: Item) -> float:
        return self.table.usd(item.price, item.quantity)


def _rounded(value: float) -> float:
    """Seven significant digits: a mail costs 0.0001 dollars, a request unit less than a millionth."""
    return float(f"{value:.7g}")
