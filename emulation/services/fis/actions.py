"""What experiments can do: one entry an action."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...core.controller import Context
from ...core.errors import AwsError
from .durations import seconds
from .model import ActionFailed


class Network(Protocol):
    """Where subnets can be cut off."""

    def disrupt(self, subnets: Sequence[str], scope: str) -> Callable[[], None]:
        """Let nothing through from now on; returns what ends it."""
        ...


@dataclass(frozen=True)
class Job:
    """One action under way."""

    ctx: Context
    network: Network
    parameters: Mapping[str, str]
    targets: Sequence[str]
    """ARNs."""
    halt: asyncio.Event

    async def lasts(self) -> None:
        """Let the action's duration pass, or less when the experiment is stopped."""
        wall = self.ctx.clock.wall(seconds(self.parameters["duration"]))
        try:
            async with asyncio.timeout(wall):
                await self.halt.wait()
        except TimeoutError:
            return


@dataclass(frozen=True)
class Kind:
    id: str
    description: str
    run: Callable[[Job], Awaitable[None]]
    target: tuple[str, str] | None = None
    """(the name an action gives it, its resource type)."""
    required: frozenset[str] = frozenset()
    parameters: Mapping[str, str] | None = None
    """Name → what it is."""
    permissions: tuple[str, ...] = ()
    """What the experiment's role must be allowed."""


SCOPES = ("all", "availability-zone", "dynamodb", "prefix-list", "s3", "s3express", "vpc")
_MADE_REAL = ("all", "dynamodb", "s3", "vpc")


async def _stop_tasks(job: Job) -> None:
    for arn in job.targets:
        cluster = arn.split(":", 5)[5].split("/")[1]
        try:
            await job.ctx.aws.call(
                "ecs", "StopTask", cluster=cluster, task=arn, reason="Stopped by AWS Fault Injection Service"
            )
        except AwsError as error:
            raise ActionFailed(f"Unable to stop task {arn}: {error.message}") from error


async def _disrupt(job: Job) -> None:
    scope = job.parameters["scope"]
    restore = job.network.disrupt([arn.rpartition("/")[2] for arn in job.targets], scope)
    try:
        await job.lasts()
    finally:
        restore()


async def _wait(job: Job) -> None:
    await job.lasts()


KINDS: Mapping[str, Kind] = {
    each.id: each
    for each in (
        Kind(
            "aws:ecs:stop-task",
            "Stop the specified ECS tasks.",
            _stop_tasks,
            ("Tasks", "aws:ecs:task"),
            permissions=("ecs:DescribeTasks", "ecs:ListTasks", "ecs:StopTask"),
        ),
        Kind(
            "aws:network:disrupt-connectivity",
            "Deny the specified traffic to and from the target subnets.",
            _disrupt,
            ("Subnets", "aws:ec2:subnet"),
            required=frozenset({"duration", "scope"}),
            parameters={
                "duration": "The duration, in ISO 8601 format.",
                "scope": "The type of traffic to deny.",
                "prefixListIdentifier": "The prefix list, for scope prefix-list.",
            },
            permissions=(
                "ec2:DescribeSubnets",
                "ec2:DescribeNetworkAcls",
                "ec2:CreateNetworkAcl",
                "ec2:CreateNetworkAclEntry",
                "ec2:CreateTags",
                "ec2:DeleteNetworkAcl",
                "ec2:ReplaceNetworkAclAssociation",
            ),
        ),
        Kind(
            "aws:fis:wait",
            "Wait for the specified time.",
            _wait,
            required=frozenset({"duration"}),
            parameters={"duration": "The duration, in ISO 8601 format."},
        ),
    )
}
"""Permissions: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html"""


def check_parameters(kind: Kind, given: Mapping[str, str]) -> None:
    """Raises ValueError for a parameter that is missing, unknown or out of range, or that nothing here makes real."""
    known = kind.parameters or {}
    if unknown := sorted(given.keys() - known.keys()):
        raise ValueError(f"{kind.id} has no parameter {', '.join(unknown)}")
    if missing := sorted(kind.required - given.keys()):
        raise ValueError(f"{kind.id} needs the parameter {', '.join(missing)}")
    if "duration" in given:
        seconds(given["duration"])
    if "scope" in given:
        if given["scope"] not in SCOPES:
            raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {given['scope']}")
        if given["scope"] not in _MADE_REAL:
            raise NotImplementedError(f"scope {given['scope']}")
