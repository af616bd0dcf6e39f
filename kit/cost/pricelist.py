"""Reads AWS's price list with `pricing.get_products` and writes it to an override file.

https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/price-changes.html: every element of PriceList is a
JSON document in a string; a term has price dimensions, one for each tier, from `beginRange` on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InfraError
from .prices import Price, PriceListing, PriceTable

_REGION_PREFIX = re.compile(r"(?:(?:EU|[A-Z]{3,4}\d)-)?")

REGION = "us-east-1"
"""The region of the Price List API (also eu-central-1 and ap-south-1), for prices of all regions."""


@dataclass(frozen=True)
class Tier:
    """A price from `begin` units a month on."""

    begin: float
    usd: float
    unit: str


@dataclass(frozen=True)
class Product:
    """One element of PriceList."""

    attributes: Mapping[str, str]
    tiers: tuple[Tier, ...]
    """By `begin`, on demand."""
    published: str

    @classmethod
    def read(cls, text: str) -> Product:
        """Raises ValueError for other formats."""
        try:
            found = json.loads(text)
            product = found["product"]
            dimensions = [
                dimension
                for term in found["terms"].get("OnDemand", {}).values()
                for dimension in term["priceDimensions"].values()
            ]
            tiers = sorted(
                (
                    Tier(float(one["beginRange"]), float(one["pricePerUnit"]["USD"]), one["unit"])
                    for one in dimensions
                    if "USD" in one["pricePerUnit"]
                ),
                key=lambda tier: tier.begin,
            )
            attributes = {**product["attributes"], "productFamily": product.get("productFamily", "")}
            return cls(attributes, tuple(tiers), found["publicationDate"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"an element of the price list lacks {error}") from None

    def is_listed_as(self, listing: PriceListing) -> bool:
        """Whether its usage type is the listing's, with an optional region prefix (`USW2-`, `EU-`)."""
        usagetype = self.attributes.get("usagetype", "")
        region = usagetype.removesuffix(listing.usagetype)
        return (
            usagetype.endswith(listing.usagetype)
            and _REGION_PREFIX.fullmatch(region) is not None
            and all(self.attributes.get(name) == value for name, value in listing.attributes.items())
        )

    @property
    def usd(self) -> float | None:
        """Dollars per unit in the first tier that is not free; None without a price."""
        charged = [tier.usd for tier in self.tiers if tier.usd > 0]
        return charged[0] if charged else None


@dataclass(frozen=True)
class RefreshedPrices:
    """Prices of the price list."""

    prices: Mapping[str, float]
    """Key → dollars for the price's `per` units."""
    published: str
    """The newest publication date."""
    kept: tuple[str, ...]
    """Prices without a listing or without a unique answer."""


def refresh(pricing: Any, table: PriceTable, region: str) -> RefreshedPrices:
    """Reads every listed price of a region with a boto3 `pricing` client. Blocks; raises `InfraError`."""
    prices: dict[str, float] = {}
    published: list[str] = []
    kept: list[str] = []
    for price in table:
        products = [] if price.listing is None else _listed(pricing, price, region)
        found = {product.usd for product in products} - {None}
        if len(found) != 1:
            kept.append(price.key)
            continue
        usd = found.pop()
        assert usd is not None
        prices[price.key] = usd * price.per
        published += [product.published for product in products]
    return RefreshedPrices(prices, max(published, default=""), tuple(kept))


def _listed(pricing: Any, price: Price, region: str) -> list[Product]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy: only where a call is made

    listing = price.listing
    assert listing is not None
    fields = {"regionCode": region, **listing.attributes}
    filters = [{"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in fields.items()]
    filters.append({"Type": "CONTAINS", "Field": "usagetype", "Value": listing.usagetype})
    try:
        pages = pricing.get_paginator("get_products").paginate(
            ServiceCode=listing.service, Filters=filters, FormatVersion="aws_v1", PaginationConfig={"PageSize": 100}
        )
        texts = [text for page in pages for text in page["PriceList"]]
        products = [Product.read(text) for text in texts]
    except (BotoCoreError, ClientError, ValueError) as error:
        raise InfraError(
            f"the price list cannot be read: {error}",
            where=f"pricing:GetProducts, {listing.service} {listing.usagetype}",
            next="allow pricing:GetProducts, or use the present prices: kit prices show",
        ) from error
    return [product for product in products if product.is_listed_as(listing)]


def write(path: Path, refreshed: RefreshedPrices, region: str) -> None:
    """Writes the override file for `cost.price_file`."""
    lines = [
        "# Written by kit prices refresh: US dollars for the units in kit prices show.",
        f'region = "{region}"',
        f'published = "{refreshed.published}"',
        "",
        "[prices]",
        *(f"{key} = {float(f'{usd:.10g}')!r}" for key, usd in refreshed.prices.items()),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_text("\n".join(lines) + "\n", encoding="utf-8")
    unfinished.replace(path)
