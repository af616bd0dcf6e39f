"""What was used, priced: fixed and marginal apart, and each scenario's share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .prices import PriceTable


@dataclass(frozen=True)
class Item:
    """So much of something that has a price."""

    price: str
    """The price's key."""
    quantity: float
    what: str
    """Of what: a service, a table, a queue."""
    scenario: str = ""
    """Whose it is; empty for what belongs to none: between scenarios, and everything fixed."""
    fixed: bool = False
    """Paid for standing there, whatever is done with it."""


@dataclass(frozen=True)
class Line:
    """All items of one price and one thing."""

    price: str
    what: str
    quantity: float
    usd: float
    fixed: bool


@dataclass(frozen=True)
class Bill:
    """Items with their prices."""

    items: tuple[Item, ...]
    table: PriceTable

    @property
    def usd(self) -> float:
        return self.marginal + self.fixed

    @property
    def marginal(self) -> float:
        """What the run's own doings cost."""
        return sum(self._price(item) for item in self.items if not item.fixed)

    @property
    def fixed(self) -> float:
        """What the stack costs by standing there."""
        return sum(self._price(item) for item in self.items if item.fixed)

    def by_scenario(self) -> dict[str, float]:
        """Each scenario's marginal dollars; what belongs to none stands under the empty name."""
        shares: dict[str, float] = defaultdict(float)
        for item in self.items:
            if not item.fixed:
                shares[item.scenario] += self._price(item)
        return dict(shares)

    def lines(self) -> list[Line]:
        """One line for each price and thing, the dearest first."""
        quantities: dict[tuple[str, str, bool], float] = defaultdict(float)
        for item in self.items:
            quantities[item.price, item.what, item.fixed] += item.quantity
        lines = [
            Line(price, what, quantity, self.table.usd(price, quantity), fixed)
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


def bill(items: Iterable[Item], table: PriceTable) -> Bill:
    return Bill(tuple(items), table)


def _rounded(value: float) -> float:
    """Seven significant digits: a mail costs 0.0001 dollars, and a request unit less than a millionth."""
    return float(f"{value:.7g}")
