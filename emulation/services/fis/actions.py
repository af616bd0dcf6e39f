"""The actions of experiments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...core.controller import Context
from ...core.errors import AwsError
from .durations import seconds
from .model import ActionFailed, Experiment


class Network(Protocol):
    """Disrupts the network of subnets."""

    def disrupt(self, subnets: Sequence[str], scope: str) -> Callable[[], None]:
        """Drop the traffic of `scope`; returns a function that ends the disruption."""
        ...


@dataclass(frozen=True)
class Job:
    """A running action."""

    ctx: Context
    network: Network
    parameters: Mapping[str, str]
    targets: Sequence[str]
    """ARNs."""
    experiment: Experiment

    async def wait(self) -> None:
        """Wait for the action's duration, or until the experiment is stopped."""
        await self.experiment.wait_for_halt(self.ctx.clock, seconds(self.parameters["duration"]))


@dataclass(frozen=True)
class Kind:
    id: str
    description: str
    run: Callable[[Job], Awaitable[None]]
    target: tuple[str, str] | None = None
    """(its name in an action, its resource type)."""
    required: frozenset[str] = frozenset()
    parameters: Mapping[str, str] | None = None
    """Name -> description."""
    permissions: tuple[str, ...] = ()
    """The permissions the experiment's role needs."""


SCOPES = ("all", "availability-zone", "dynamodb", "prefix-list", "s3", "s3express", "vpc")
_EMULATED_SCOPES = ("all", "dynamodb", "s3", "vpc")


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
        await job.wait()
    finally:
        restore()


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
            Job.wait,
            required=frozenset({"duration"}),
            parameters={"duration": "The duration, in ISO 8601 format."},
        ),
    )
}
"""Permissions: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html"""


def check_parameters(kind: Kind, given: Mapping[str, str]) -> None:
    """Raises ValueError for a missing, unknown or invalid parameter, NotImplementedError for one not emulated."""
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
        if given["scope"] not in _EMULATED_SCOPES:
            raise NotImplementedError(f"scope {given['scope']}")
