"""The price table: each price with unit, source and date; overridden by a file and settings; shown and refreshed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.support.kit import some_settings
from tests.support.world import world
from webordinary_testkit.emulation.services.pricing import Pricing
from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.cost.pricelist import Product, RefreshedPrices, refresh, write
from webordinary_testkit.kit.cost.prices import PriceListing, load_prices, shipped_prices, with_price_file


def an_element(usagetype: str, *tiers: tuple[str, str], **attributes: str) -> str:
    """One element of PriceList, in the shape that AWS sends it: a JSON document in a string."""
    dimensions = {
        f"SKU.JRTCKXETXF.{index}": {
            "unit": "Hrs",
            "beginRange": begin,
            "endRange": "Inf",
            "description": f"${usd} per unit",
            "pricePerUnit": {"USD": usd},
        }
        for index, (begin, usd) in enumerate(tiers)
    }
    return json.dumps(
        {
            "product": {
                "productFamily": "Compute",
                "sku": "SKU",
                "attributes": {"usagetype": usagetype, "regionCode": "us-west-2", "location": "x", **attributes},
            },
            "serviceCode": "AmazonECS",
            "terms": {"OnDemand": {"SKU.JRTCKXETXF": {"effectiveDate": "2026-09-01", "priceDimensions": dimensions}}},
            "version": "20260901",
            "publicationDate": "2026-09-01T12:00:00Z",
        }
    )


def test_every_shipped_price_has_a_unit_a_source_and_a_date() -> None:
    for price in shipped_prices():
        assert price.usd >= 0, price.key
        assert price.per >= 1, price.key
        assert all((price.unit, price.what, price.source, price.seen)), price.key


def test_a_small_task_costs_what_it_is_known_to() -> None:
    table = shipped_prices()
    hour = table.usd("fargate_vcpu_hour", 0.25) + table.usd("fargate_gb_hour", 0.5)
    assert hour == pytest.approx(0.01234, abs=1e-5)


def test_settings_go_before_the_file_and_the_file_before_what_is_shipped(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    write(path, RefreshedPrices({"sqs_request": 0.5, "sns_publish": 0.6}, "2026-10-01", ()), "eu-west-1")
    table = load_prices(some_settings(cost={"price_file": path}, prices={"sns_publish": 0.7}))
    assert [table[key].usd for key in ("sqs_request", "sns_publish", "ses_sent")] == [0.5, 0.7, 0.16]
    assert table.about() == {"region": "eu-west-1", "published": "2026-10-01", "list_prices": True}
    assert table["sqs_request"].seen == "2026-10-01"
    assert table.holds_in("eu-west-1")
    assert not table.holds_in("us-west-2")


def test_a_price_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'fargate_vcpu_hour'"):
        load_prices(some_settings(prices={"fargate_cpu_hour": 1}))


def test_a_damaged_price_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text("[prices")
    with pytest.raises(UsageError, match="cannot be read") as refused:
        with_price_file(shipped_prices(), path)
    assert str(path) in str(refused.value)


def test_tiers_come_in_order_and_free_ones_are_left_out() -> None:
    product = Product.read(an_element("USW2-Requests-Tier1", ("1000000", "0.0000004000"), ("0", "0.0000000000")))
    assert [tier.begin for tier in product.tiers] == [0, 1_000_000]
    assert product.usd == pytest.approx(4e-7)
    assert product.published == "2026-09-01T12:00:00Z"


@pytest.mark.parametrize(
    ("usagetype", "is_it"),
    [
        ("USW2-TimedStorage-ByteHrs", True),
        ("TimedStorage-ByteHrs", True),
        ("EU-TimedStorage-ByteHrs", True),
        ("USW2-IA-TimedStorage-ByteHrs", False),
        ("IA-TimedStorage-ByteHrs", False),
        ("USW2-ReservedTimedStorage-ByteHrs", False),
    ],
)
def test_a_listing_is_found_under_any_regions_prefix_and_no_other(usagetype: str, is_it: bool) -> None:
    product = Product.read(an_element(usagetype, ("0", "1"), storageClass="General Purpose"))
    listing = PriceListing("AmazonEFS", "TimedStorage-ByteHrs", {"storageClass": "General Purpose"})
    assert product.is_listed_as(listing) is is_it


@pytest.mark.parametrize("text", ["{}", "[]", '{"product": 3}', "no json"])
def test_what_is_no_element_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Product.read(text)


async def test_the_price_list_is_read_over_the_wire() -> None:
    async with world(Pricing) as w:
        refreshed = await asyncio.to_thread(refresh, w.client("pricing"), shipped_prices(), "us-west-2")
    assert refreshed.prices["fargate_vcpu_hour"] == pytest.approx(0.04048)
    assert refreshed.prices["dynamodb_write"] == pytest.approx(0.625)
    assert refreshed.prices["dynamodb_storage_gb_month"] == pytest.approx(0.25), "the free tier is left out"
    assert refreshed.prices["metric_month"] == pytest.approx(0.30), "the first tier that costs something"
    assert refreshed.published == "2026-09-15T00:00:00Z"
    assert "dashboard_month" in refreshed.kept, "the price list has no dashboards"
    assert {*refreshed.prices, *refreshed.kept} == set(shipped_prices().prices)


async def test_kit_prices_refresh_writes_the_file_that_the_settings_then_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    async with world(Pricing) as w:
        for name, value in {
            "AWS_ENDPOINT_URL": w.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        assert await asyncio.to_thread(main, ["prices", "refresh"]) == 0
    assert "published 2026-09-15" in capsys.readouterr().out
    assert load_prices(some_settings()).published == "2026-09-15T00:00:00Z"
    assert main(["prices", "show", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "Price List API" in told["fargate_vcpu_hour"]["source"]
    assert told["dashboard_month"]["source"].startswith("aws.amazon.com")


async def test_a_price_list_that_refuses_is_an_error_that_says_what_to_allow() -> None:
    async with world() as w:
        with pytest.raises(InfraError, match="pricing:GetProducts"):
            await asyncio.to_thread(refresh, w.client("pricing"), shipped_prices(), "us-west-2")
