"""What an account may have, and what things cost, as boto3 reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.world import World, world
from webordinary_testkit.emulation.services.pricing import Pricing
from webordinary_testkit.emulation.services.service_quotas import Quotas

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w() -> AsyncIterator[World]:
    async with world(Quotas, Pricing) as made:
        yield made


async def test_fargates_vcpus_are_those_of_a_new_account(w: World) -> None:
    client = w.client("service-quotas")
    answer = await asyncio.to_thread(client.get_service_quota, ServiceCode="fargate", QuotaCode="L-3032A538")

    assert answer["Quota"]["Value"] == 6


async def test_quotas_of_a_service_are_listed(w: World) -> None:
    answer = await asyncio.to_thread(w.client("service-quotas").list_service_quotas, ServiceCode="vpc")

    assert {"VPCs per Region", "Internet gateways per Region"} <= {each["QuotaName"] for each in answer["Quotas"]}


async def test_an_unknown_quota_is_refused(w: World) -> None:
    client = w.client("service-quotas")
    with pytest.raises(ClientError, match="NoSuchResourceException"):
        await asyncio.to_thread(client.get_service_quota, ServiceCode="fargate", QuotaCode="L-00000000")


async def test_a_price_is_found_by_region_and_usage_type(w: World) -> None:
    filters = [
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "us-west-2"},
        {"Type": "CONTAINS", "Field": "usagetype", "Value": "Fargate-vCPU"},
    ]
    answer = await asyncio.to_thread(w.client("pricing").get_products, ServiceCode="AmazonECS", Filters=filters)
    (product,) = (json.loads(text) for text in answer["PriceList"])
    (term,) = product["terms"]["OnDemand"].values()

    assert product["product"]["attributes"]["usagetype"] == "USW2-Fargate-vCPU-Hours:perCPU"
    assert [each["pricePerUnit"]["USD"] for each in term["priceDimensions"].values()] == ["0.0404800000"]


async def test_tiers_come_in_order_and_pages_go_on(w: World) -> None:
    client = w.client("pricing")

    def listed(size: int) -> list[str]:
        pages = client.get_paginator("get_products").paginate(
            ServiceCode="AmazonDynamoDB", PaginationConfig={"PageSize": size}
        )
        return [text for page in pages for text in page["PriceList"]]

    all_at_once = await asyncio.to_thread(listed, 100)
    storage = next(json.loads(text) for text in all_at_once if "TimedStorage" in text)
    (term,) = storage["terms"]["OnDemand"].values()

    assert [each["beginRange"] for each in term["priceDimensions"].values()] == ["0", "25"]
    assert await asyncio.to_thread(listed, 1) == all_at_once
