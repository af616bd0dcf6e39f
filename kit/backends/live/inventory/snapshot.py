"""Takes a snapshot of an account: every listing, and the tags of all resources that carry the kit's marker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .. import tags
from .listings import LISTINGS
from .regions import NotInRegion, unavailable_reason
from .resource import AwsAccount, Resource, type_of

T = TypeVar("T")


@dataclass(frozen=True)
class Unreadable:
    """A listing that failed: the resources it covers are unknown."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} could not be read: {self.why}"


@dataclass(frozen=True)
class Snapshot:
    """An account at one moment."""

    resources: Sequence[Resource]
    tags: Mapping[str, Mapping[str, str]]
    """By ARN, of every resource that carries the kit's marker."""
    unreadable: Sequence[Unreadable] = field(default=())
    not_in_region: Sequence[NotInRegion] = field(default=())
    """Services that the region lacks: they contain no resources."""


async def take_snapshot(account: AwsAccount) -> Snapshot:
    """Reads everything concurrently. AWS errors are not raised: they become `unreadable` or `not_in_region`."""
    async with asyncio.TaskGroup() as group:
        tagged = group.create_task(_result(_tagged(account)))
        listed = [group.create_task(_result(listing.read(account))) for listing in LISTINGS]
    resources: list[Resource] = []
    unreadable: list[Unreadable] = []
    not_in_region: list[NotInRegion] = []
    covered: set[str] = set()
    for listing, task in zip(LISTINGS, listed, strict=True):
        result = task.result()
        if not isinstance(result, Exception):
            resources += result
            covered |= set(listing.arn_types)
        elif why := await unavailable_reason(result):
            not_in_region.append(NotInRegion(listing.what, why))
        else:
            unreadable.append(_unreadable(listing.what, result))
    found = tagged.result()
    if isinstance(found, Exception):
        unreadable.append(_unreadable("tags", found))
        return Snapshot(resources, {}, unreadable, not_in_region)
    arns = {resource.arn for resource in resources}
    for arn in found:
        if arn not in arns and type_of(arn) not in covered:
            resources.append(Resource(type_of(arn).rstrip(":") or "resource", arn, arn))
    return Snapshot(resources, found, unreadable, not_in_region)


async def _tagged(account: AwsAccount) -> dict[str, dict[str, str]]:
    found = await account.aws.pages(
        "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=[{"Key": tags.MARKER}]
    )
    return {each["ResourceARN"].removesuffix(":*"): tags.from_list(each["Tags"]) for each in found}


async def _result(reading: Awaitable[T]) -> T | Exception:
    try:
        return await reading
    except Exception as error:
        return error


def _unreadable(what: str, error: Exception) -> Unreadable:
    return Unreadable(what, str(error).partition("\n")[0])
