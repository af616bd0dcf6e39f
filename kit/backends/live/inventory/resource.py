"""One thing in an account, and by what it is found."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ....aws.client import Aws

_SEPARATORS = re.compile(r"[/:]")


@dataclass(frozen=True)
class Ground:
    """Where to look."""

    aws: Aws
    region: str
    account: str
    partition: str = "aws"

    def arn(self, service: str, resource: str) -> str:
        """For services whose answers have none."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class Thing:
    """It is there."""

    kind: str
    """CloudFormation's type; the service's words where there is none, such as `ECS task`."""
    name: str
    """What its service calls it: a name, an id or a URL."""
    arn: str = ""
    inside: frozenset[str] = frozenset()
    """Names, ids or ARNs of what it is in, or works for."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def known_as(self) -> frozenset[str]:
        """Everything that it may be called where it is noted."""
        return frozenset(filter(None, (self.name, self.arn, last(self.arn), last(self.name))))


Listing = Callable[[Ground], Awaitable[Sequence[Thing]]]
"""Everything of one kind or service that is there, whoever's it is. Changes nothing. Raises what its calls meet."""


def last(name: str) -> str:
    """The last part of an ARN, a URL or a path."""
    return _SEPARATORS.split(name)[-1]


def type_of(arn: str) -> str:
    """`service:type` of an ARN, such as `ecs:service`; `sqs:` where its resources have but a name."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return ""
    kind, *rest = _SEPARATORS.split(parts[5], maxsplit=1)
    return f"{parts[2]}:{kind if rest else ''}"
