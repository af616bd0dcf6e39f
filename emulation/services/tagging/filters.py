"""Tagged resources, and the filters of GetResources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TaggedResource:
    arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Filters:
    """The filters of GetResources; empty ones match every resource."""

    types: tuple[str, ...] = ()
    """`service` or `service:type`, as in ARNs: `ecs:service`, `elasticloadbalancing:targetgroup`, `s3`."""
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(key, values): each key must be present, with one of its values if any are given."""
    arns: tuple[str, ...] = ()

    def want_service(self, service: str) -> bool:
        """Whether any resource of a service (as in ARNs) can match."""
        if self.arns:
            return any(arn.split(":", 3)[2:3] == [service] for arn in self.arns)
        return not self.types or any(each.partition(":")[0] == service for each in self.types)

    def want(self, resource: TaggedResource) -> bool:
        if self.arns and resource.arn not in self.arns:
            return False
        if self.types and not any(is_of_type(resource.arn, each) for each in self.types):
            return False
        return all(key in resource.tags and (not values or resource.tags[key] in values) for key, values in self.tags)


def service_of(arn: str) -> str:
    """The third part of an ARN; empty if the text is not an ARN."""
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 and parts[0] == "arn" else ""


def is_of_type(arn: str, wanted: str) -> bool:
    """Whether an ARN is of a type such as `ecs:service`, `elasticloadbalancing:loadbalancer/app` or just `sqs`.

    Services with one kind of resource omit the kind in their ARNs; both forms match them (`s3`, `s3:bucket`).
    """
    service, _, kind = wanted.partition(":")
    if service_of(arn) != service:
        return False
    rest = arn.split(":", 5)[5]
    return not kind or kind == _ONLY_KIND.get(service) or rest.startswith((f"{kind}/", f"{kind}:"))


_ONLY_KIND = {"s3": "bucket", "sqs": "queue", "sns": "topic"}


def tag_mapping(listed: Iterable[Mapping[str, Any]] | Mapping[str, str]) -> dict[str, str]:
    """Tags as a mapping, from a mapping or from a list of keys and values in any service's spelling."""
    if isinstance(listed, Mapping):
        return dict(listed)
    tags = {}
    for entry in listed:
        lower = {name.lower(): value for name, value in entry.items()}
        key = lower.get("key", lower.get("tagkey"))
        tags[str(key)] = str(lower.get("value", lower.get("tagvalue", "")))
    return tags
