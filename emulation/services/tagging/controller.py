"""The Resource Groups Tagging API. It stores nothing; it reads and changes tags by the calls of each service.

Limits and error codes: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError, not_emulated
from ...core.pagination import paginate
from ..controller_base import ServiceController
from . import tag_changes
from .filters import Filters, TaggedResource, service_of
from .listings import SERVICES, AwsAccount, tagged_resources

_PAGE, _MOST_PER_PAGE = 50, 100
_MOST_FILTERS, _MOST_VALUES = 50, 20
_MOST_ARNS_ASKED, _MOST_ARNS_CHANGED = 100, 20


class Tagging(ServiceController):
    service = "resourcegroupstaggingapi"

    def __init__(self, ctx: Context) -> None:
        self._account = AwsAccount(ctx.aws, ctx.region, ctx.account)

    async def get_resources(self, call: Call) -> dict[str, Any]:
        filters = _filters(call.params)
        size = call.params.get("ResourcesPerPage", _PAGE)
        if not 1 <= size <= _MOST_PER_PAGE:
            raise invalid(f"ResourcesPerPage must be between 1 and {_MOST_PER_PAGE}, got {size}")
        found = await self._found(filters)
        expired = AwsError("PaginationTokenExpiredException", "The PaginationToken is not valid any more")
        page = paginate(found, call.params.get("PaginationToken"), size, expired)
        return {
            "PaginationToken": page.token or "",
            "ResourceTagMappingList": [
                {
                    "ResourceARN": each.arn,
                    "Tags": [{"Key": key, "Value": value} for key, value in sorted(each.tags.items())],
                }
                for each in page.items
            ],
        }

    async def get_tag_keys(self, call: Call) -> dict[str, Any]:
        keys = sorted({key for each in await self._found(Filters()) for key in each.tags})
        return {"PaginationToken": "", "TagKeys": keys}

    async def get_tag_values(self, call: Call) -> dict[str, Any]:
        key = call.params["Key"]
        values = sorted({each.tags[key] for each in await self._found(Filters(tags=((key, ()),)))})
        return {"PaginationToken": "", "TagValues": values}

    async def tag_resources(self, call: Call) -> dict[str, Any]:
        tags: Mapping[str, str] = call.params["Tags"]
        if not tags:
            raise invalid("Tags must hold at least one tag")
        if reserved := [key for key in tags if key.lower().startswith("aws:")]:
            raise invalid(f"Tag keys that begin with aws: are reserved: {', '.join(reserved)}")
        return await self._each(call, lambda arn: tag_changes.tag(self._account, arn, tags))

    async def untag_resources(self, call: Call) -> dict[str, Any]:
        keys = call.params["TagKeys"]
        return await self._each(call, lambda arn: tag_changes.untag(self._account, arn, keys))

    async def _each(self, call: Call, change: Any) -> dict[str, Any]:
        arns = call.params["ResourceARNList"]
        if not 1 <= len(arns) <= _MOST_ARNS_CHANGED:
            raise invalid(f"ResourceARNList must name 1 to {_MOST_ARNS_CHANGED} resources, got {len(arns)}")
        failed = {}
        for arn in arns:
            _check_arn(arn)
            try:
                await change(arn)
            except AwsError as error:
                code = "InternalServiceException" if error.status >= 500 else "InvalidParameterException"
                message = f"{error.code}: {error.message}"
                failed[arn] = {"StatusCode": error.status, "ErrorCode": code, "ErrorMessage": message}
        return {"FailedResourcesMap": failed}

    async def _found(self, filters: Filters) -> list[TaggedResource]:
        """The tagged resources that match, sorted by ARN."""
        found = []
        for service in SERVICES:
            if not filters.want_service(service):
                continue
            try:
                resources = tagged_resources(self._account, service)
                found += [each async for each in resources if each.tags and filters.want(each)]
            except AwsError as error:
                if error.code != "NotImplemented":  # the state store lacks the service
                    raise
        return sorted(found, key=lambda each: each.arn)


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def _filters(params: Mapping[str, Any]) -> Filters:
    """Raises InvalidParameterException."""
    types = tuple(params.get("ResourceTypeFilters", ()))
    tags = params.get("TagFilters", ())
    arns = tuple(params.get("ResourceARNList", ()))
    if arns and (types or tags or params.get("PaginationToken")):
        raise invalid("ResourceARNList cannot be given together with other filters or a PaginationToken")
    if len(arns) > _MOST_ARNS_ASKED:
        raise invalid(f"ResourceARNList can name at most {_MOST_ARNS_ASKED} resources")
    for arn in arns:
        _check_arn(arn)
    if len(tags) > _MOST_FILTERS:
        raise invalid(f"There can be at most {_MOST_FILTERS} TagFilters")
    for each in tags:
        if "Key" not in each:
            raise invalid("A tag filter needs a Key")
        if len(each.get("Values", ())) > _MOST_VALUES:
            raise invalid(f"A tag filter can have at most {_MOST_VALUES} Values")
    for name in types:
        if not name or name.partition(":")[0] not in SERVICES:
            raise invalid(
                f"Unsupported resource type {name!r}: expected a service as named in ARNs, one of {', '.join(SERVICES)}"
            )
    for switch in ("IncludeComplianceDetails", "ExcludeCompliantResources"):
        if params.get(switch):
            raise not_emulated(Tagging.service, f"GetResources with {switch}")
    return Filters(types, tuple((each["Key"], tuple(each.get("Values", ()))) for each in tags), arns)


def _check_arn(arn: str) -> None:
    if not service_of(arn):
        raise invalid(f"{arn!r} is not an ARN")
