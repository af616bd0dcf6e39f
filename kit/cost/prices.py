"""The price table: shipped prices with sources and dates, overridden by a price file and `[prices]` in kit.toml."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import UsageError

if TYPE_CHECKING:
    from ..settings import Settings

HOURS_PER_MONTH = 730
"""Hours of a month in AWS's pricing examples and calculator."""
REGIONS = ("us-west-2", "us-east-1")
"""The regions of the shipped prices."""
_SHIPPED = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True)
class PriceListing:
    """A price's product in the Price List API, by the end of its usage type and by attributes."""

    service: str
    usagetype: str
    """Without the region's prefix."""
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Price:
    """`usd` dollars for `per` units."""

    key: str
    usd: float
    per: int
    unit: str
    what: str
    source: str
    seen: str
    """The date of the source, as exact as known."""
    listing: PriceListing | None = None

    @property
    def each(self) -> float:
        """Dollars for one unit."""
        return self.usd / self.per


@dataclass(frozen=True)
class PriceTable:
    """Prices by key."""

    prices: Mapping[str, Price]
    region: str = REGIONS[0]
    """The region of the prices."""
    published: str = ""
    """The newest publication date of AWS's price list; empty when all prices are shipped ones."""

    def __getitem__(self, key: str) -> Price:
        return self.prices[key]

    def __iter__(self) -> Iterator[Price]:
        return iter(self.prices.values())

    def usd(self, key: str, quantity: float) -> float:
        """The cost of a quantity. Raises KeyError for an unknown price."""
        return self.prices[key].each * quantity

    def holds_in(self, region: str) -> bool:
        """Whether these prices apply in a region."""
        return region == self.region or {region, self.region} <= set(REGIONS)

    def overridden(self, values: Mapping[str, float], *, source: str, seen: str = "") -> PriceTable:
        """Replaces some prices; values are dollars for the price's `per` units.

        Raises `UsageError` for an unknown key or a negative price.
        """
        prices = dict(self.prices)
        for key, usd in values.items():
            if key not in prices:
                near = difflib.get_close_matches(key, prices, n=1, cutoff=0.0)
                raise UsageError(
                    f"there is no price {key!r}", where=source, next=f"did you mean {near[0]!r}? see: kit prices show"
                )
            if not usd >= 0:
                raise UsageError(f"the price {key} = {usd!r} is below zero", where=source)
            prices[key] = replace(prices[key], usd=float(usd), source=source, seen=seen)
        return replace(self, prices=prices)

    def about(self) -> dict[str, Any]:
        """For a report: the origin of the prices."""
        return {"region": self.region, **({"published": self.published} if self.published else {}), "list_prices": True}


def shipped_prices() -> PriceTable:
    """The prices in the kit's distribution."""
    prices = {}
    for key, fields in tomllib.loads(_SHIPPED.read_text(encoding="utf-8")).items():
        listing = fields.pop("listing", None)
        if listing is not None:
            listing = PriceListing(listing.pop("service"), listing.pop("usagetype"), listing)
        prices[key] = Price(key, listing=listing, **fields)
    return PriceTable(prices)


def load_prices(settings: Settings) -> PriceTable:
    """Shipped < the price file (`cost.price_file`, where it exists) < `[prices]`. Raises `UsageError`."""
    table = with_price_file(shipped_prices(), settings.cost.price_file)
    return table.overridden(settings.prices, source="kit.toml [prices]")


def with_price_file(table: PriceTable, path: Path) -> PriceTable:
    """Overrides prices with a file of `kit prices refresh`; a missing file changes nothing."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return table
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the price file cannot be read: {error}", where=str(path)) from None
    published = str(found.get("published", ""))
    read = table.overridden(found.get("prices", {}), source=f"AWS Price List API ({path})", seen=published)
    return replace(read, region=str(found.get("region", table.region)), published=published)
