"""A resource in an account, with the names and ARNs that identify it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ....aws.client import Aws

_SEPARATORS = re.compile(r"[/:]")


@dataclass(frozen=True)
class AwsAccount:
    """An account and region, and the client that reads them."""

    aws: Aws
    region: str
    id: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """Builds the ARN for services whose answers contain none."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.id}:{resource}"


@dataclass(frozen=True)
class Resource:
    """An existing resource."""

    kind: str
    """CloudFormation's type; otherwise the service's term, such as `ECS task`."""
    name: str
    """The service's identifier: a name, an id or a URL."""
    arn: str = ""
    inside: frozenset[str] = frozenset()
    """Names, ids or ARNs of the resources that contain it or that it works for."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def known_as(self) -> frozenset[str]:
        """Every name that a ledger or a template may use for it."""
        return frozenset(filter(None, (self.name, self.arn, last(self.arn), last(self.name))))


def last(name: str) -> str:
    """The last part of an ARN, a URL or a path."""
    return _SEPARATORS.split(name)[-1]


def type_of(arn: str) -> str:
    """`service:type` of an ARN, such as `ecs:service`; `sqs:` where the ARN has only a name."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return ""
    kind, *rest = _SEPARATORS.split(parts[5], maxsplit=1)
    return f"{parts[2]}:{kind if rest else ''}"
