"""One resource and its tags, and whether a request means it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tagged:
    arn: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Filters:
    """Which resources a GetResources asks for; empty filters let all through."""

    types: tuple[str, ...] = ()
    """`service` or `service:type`, as in ARNs: `ecs:service`, `elasticloadbalancing:targetgroup`, `s3`."""
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(key, values): each key must be there, with one of its values if it names any."""
    arns: tuple[str, ...] = ()

    def want_service(self, service: str) -> bool:
        """Whether any resource of a service (as in ARNs) can be meant."""
        if self.arns:
            return any(arn.split(":", 3)[2:3] == [service] for arn in self.arns)
        return not self.types or any(each.partition(":")[0] == service for each in self.types)

    def want(self, resource: Tagged) -> bool:
        if self.arns and resource.arn not in self.arns:
            return False
        if self.types and not any(is_of_type(resource.arn, each) for each in self.types):
            return False
        return all(key in resource.tags and (not values or resource.tags[key] in values) for key, values in self.tags)


def service_of(arn: str) -> str:
    """The third part of an ARN; empty for what is none."""
    parts = arn.split(":", 5)
    return parts[2] if len(parts) == 6 and parts[0] == "arn" else ""


def is_of_type(arn: str, wanted: str) -> bool:
    """Whether an ARN is of a type such as `ecs:service`, `elasticloadbalancing:loadbalancer/app` or just `sqs`.

    Services with one kind of resource leave the kind out of their ARNs; they go by either name (`s3`, `s3:bucket`).
    """
    service, _, kind = wanted.partition(":")
    if service_of(arn) != service:
        return False
    rest = arn.split(":", 5)[5]
    return not kind or kind == _ONLY_KIND.get(service) or rest.startswith((f"{kind}/", f"{kind}:"))


_ONLY_KIND = {"s3": "bucket", "sqs": "queue", "sns": "topic"}


def mapping(listed: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """[{"Key", "Value"}], in whichever case a service writes them, as a mapping."""
    tags = {}
    for entry in listed:
        lower = {name.lower(): value for name, value in entry.items()}
        key = lower.get("key", lower.get("tagkey"))
        tags[str(key)] = str(lower.get("value", lower.get("tagvalue", "")))
    return tags
