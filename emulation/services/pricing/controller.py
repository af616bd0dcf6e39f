"""The Price List API, with a small dated extract of prices for the cloud's region.

Prices: https://aws.amazon.com/<service>/pricing/ for us-west-2, read in autumn 2026. They are samples; the real API
has current ones.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from ...core.pagination import paginate
from ..controller_base import ServiceController

PUBLISHED = "2026-09-15T00:00:00Z"


@dataclass(frozen=True)
class Product:
    service: str
    usage: str
    """The usage type without the region's prefix."""
    unit: str
    tiers: Sequence[tuple[float, str]]
    """(first unit of the tier, US dollars a unit)."""
    family: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


def _one(service: str, usage: str, unit: str, price: str, family: str = "", **more: str) -> Product:
    return Product(service, usage, unit, ((0, price),), family, more)


def _free(units: float, price: str) -> Sequence[tuple[float, str]]:
    """Tiers of which the first costs nothing."""
    return ((0, "0.0000000000"), (units, price))


_ON_DEMAND = "Amazon DynamoDB PayPerRequest Throughput"
_SQS_TIERS = _free(1_000_000, "0.0000004000")
_HIGH_RESOLUTION = {"alarmType": "High Resolution"}
_METRIC_TIERS = ((0, "0.3000000000"), (10_000, "0.1000000000"))
PRODUCTS = (
    _one("AmazonECS", "Fargate-vCPU-Hours:perCPU", "hours", "0.0404800000", "Compute", cputype="perCPU"),
    _one("AmazonECS", "Fargate-GB-Hours", "hours", "0.0044450000", "Compute", memorytype="perGB"),
    _one("AmazonECS", "Fargate-ARM-vCPU-Hours:perCPU", "hours", "0.0323800000", "Compute", cpuArchitecture="ARM"),
    _one("AmazonECS", "Fargate-ARM-GB-Hours", "hours", "0.0035600000", "Compute", cpuArchitecture="ARM"),
    _one("AmazonECS", "Fargate-EphemeralStorage-GB-Hours", "GB-Hours", "0.0001110000", "Compute"),
    _one("AWSELB", "LoadBalancerUsage", "Hrs", "0.0225000000", "Load Balancer-Application"),
    _one("AWSELB", "LCUUsage", "LCU-Hrs", "0.0080000000", "Load Balancer-Application"),
    _one("AmazonDynamoDB", "WriteRequestUnits", "WriteRequestUnits", "0.0000006250", _ON_DEMAND),
    _one("AmazonDynamoDB", "ReadRequestUnits", "ReadRequestUnits", "0.0000001250", _ON_DEMAND),
    Product("AmazonDynamoDB", "TimedStorage-ByteHrs", "GB-Mo", _free(25, "0.2500000000"), "Database Storage"),
    Product("AWSQueueService", "Requests-Tier1", "Requests", _SQS_TIERS, "API Request", {"queueType": "Standard"}),
    _one("AmazonSNS", "Requests-Tier1", "Requests", "0.0000005000", "API Request"),
    _one("AmazonSES", "Message", "Count", "0.0001000000", "Receiving Email"),
    _one("AmazonSES", "ReceivedChunk", "Count", "0.0000900000", "Receiving Email"),
    _one("AmazonSES", "Recipients", "Count", "0.0001000000", "Sending Email"),
    _one("AmazonEFS", "TimedStorage-ByteHrs", "GB-Mo", "0.3000000000", "Storage", storageClass="General Purpose"),
    _one("AmazonEFS", "ETDataAccess-Bytes", "GB", "0.0300000000", "Provisioned Throughput", accessType="Read"),
    Product("AmazonCloudWatch", "CW:MetricMonitorUsage", "Metrics", _METRIC_TIERS, "Metric"),
    _one("AmazonCloudWatch", "CW:AlarmMonitorUsage", "Alarms", "0.1000000000", "Alarm", alarmType="Standard"),
    _one("AmazonCloudWatch", "CW:HighResAlarmMonitorUsage", "Alarms", "0.3000000000", "Alarm", **_HIGH_RESOLUTION),
    _one("AmazonCloudWatch", "CW:GMD-Metrics", "Metrics", "0.0000100000", "API Request"),
    _one("AmazonCloudWatch", "CW:Requests", "Requests", "0.0000100000", "API Request"),
    _one("AmazonCloudWatch", "DataProcessing-Bytes", "GB", "0.5000000000", "Data Payload"),
    _one("AmazonCloudWatch", "TimedStorage-ByteHrs", "GB-Mo", "0.0300000000", "Storage Snapshot"),
    _one("AmazonEC2", "NatGateway-Hours", "Hrs", "0.0450000000", "NAT Gateway"),
    _one("AmazonEC2", "NatGateway-Bytes", "GB", "0.0450000000", "NAT Gateway"),
    _one("AmazonVPC", "PublicIPv4:InUseAddress", "Hrs", "0.0050000000", "VpcIpAddress"),
    _one("AmazonVPC", "PublicIPv4:IdleAddress", "Hrs", "0.0050000000", "VpcIpAddress"),
    _one("AWSFIS", "ActionMinute", "Action-Minutes", "0.1000000000", "Fault Injection"),
)

_PREFIXES = {"us-west-2": "USW2-", "us-east-1": "", "us-east-2": "USE2-", "eu-west-1": "EU-", "eu-central-1": "EUC1-"}


class Pricing(ServiceController):
    service = "pricing"

    def __init__(self, ctx: Context) -> None:
        self._region = ctx.region

    async def get_products(self, call: Call) -> dict[str, Any]:
        service, filters = call.params["ServiceCode"], call.params.get("Filters", ())
        matching = [
            json.dumps(self._price(product))
            for product in PRODUCTS
            if product.service == service and all(_matches(each, self._attributes(product)) for each in filters)
        ]
        invalid = AwsError("InvalidNextTokenException", "The pagination token is invalid. Try again without it.")
        page = paginate(matching, call.params.get("NextToken"), call.params.get("MaxResults", 100), invalid)
        return {"FormatVersion": "aws_v1", **page.answer("PriceList")}

    def _attributes(self, product: Product) -> dict[str, str]:
        return {
            "servicecode": product.service,
            "ServiceCode": product.service,
            "productFamily": product.family,
            "regionCode": self._region,
            "usagetype": f"{_PREFIXES.get(self._region, self._region.upper() + '-')}{product.usage}",
            "locationType": "AWS Region",
            **product.more,
        }

    def _price(self, product: Product) -> dict[str, Any]:
        attributes = self._attributes(product)
        family, _ = attributes.pop("productFamily"), attributes.pop("ServiceCode")
        sku = f"SKU{PRODUCTS.index(product):013d}"
        term = f"{sku}.JRTCKXETXF"
        ends = [str(begin) for begin, _ in product.tiers[1:]] + ["Inf"]
        dimensions = {
            f"{term}.{number:010d}": {
                "unit": product.unit,
                "beginRange": str(begin),
                "endRange": end,
                "description": f"${price} per {product.unit}",
                "rateCode": f"{term}.{number:010d}",
                "pricePerUnit": {"USD": price},
                "appliesTo": [],
            }
            for number, ((begin, price), end) in enumerate(zip(product.tiers, ends, strict=True))
        }
        offer = {"sku": sku, "offerTermCode": "JRTCKXETXF", "effectiveDate": PUBLISHED, "priceDimensions": dimensions}
        return {
            "product": {"productFamily": family, "sku": sku, "attributes": attributes},
            "serviceCode": product.service,
            "terms": {"OnDemand": {term: {**offer, "termAttributes": {}}}},
            "version": PUBLISHED.replace("-", "").replace(":", ""),
            "publicationDate": PUBLISHED,
        }


def _matches(wanted: Mapping[str, str], attributes: Mapping[str, str]) -> bool:
    value, kind = wanted["Value"], wanted["Type"]
    there = attributes.get(wanted["Field"])
    if kind == "NONE_OF":
        return there not in value.split(",")
    if there is None:
        return False
    if kind == "CONTAINS":
        return value in there
    return there in value.split(",") if kind == "ANY_OF" else there == value
