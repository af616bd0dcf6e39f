"""All of it at once: every listing, and the tags of everything that carries the kit's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .. import tags
from . import account, messages, network, storage, tasks, watching
from .regions import Absent, absence
from .resource import Ground, Listing, Thing, type_of

LISTINGS: Sequence[tuple[Listing, tuple[str, ...]]] = (
    (account.stacks, ("cloudformation:stack",)),
    (tasks.clusters, ("ecs:cluster", "ecs:service", "ecs:task")),
    (tasks.task_definitions, ("ecs:task-definition",)),
    (tasks.scalable_targets, ("application-autoscaling:scalable-target",)),
    (watching.alarms, ("cloudwatch:alarm",)),
    (watching.dashboards, ()),
    (watching.log_groups, ("logs:log-group",)),
    (
        network.networks,
        tuple(
            f"ec2:{each}"
            for each in (
                *("vpc", "subnet", "security-group", "network-acl", "internet-gateway"),
                *("route-table", "network-interface"),
            )
        ),
    ),
    (
        network.load_balancers,
        tuple(f"elasticloadbalancing:{each}" for each in ("loadbalancer", "listener", "listener-rule")),
    ),
    (network.target_groups, ("elasticloadbalancing:targetgroup",)),
    (storage.file_systems, ("elasticfilesystem:file-system",)),
    (storage.access_points, ("elasticfilesystem:access-point",)),
    (storage.tables, ("dynamodb:table",)),
    (storage.buckets, ("s3:",)),
    (messages.queues, ("sqs:",)),
    (messages.topics, ("sns:",)),
    (messages.receipt_rules, ()),
    (account.roles, ("iam:role",)),
    (account.experiment_templates, ("fis:experiment-template",)),
    (account.experiments, ("fis:experiment",)),
)


@dataclass(frozen=True)
class Unseen:
    """A listing that could not be had, so that nothing is known of what it tells."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what} could not be looked at: {self.why}"


@dataclass(frozen=True)
class Looked:
    """An account at one moment."""

    things: Sequence[Thing]
    tags: Mapping[str, Mapping[str, str]]
    """By ARN, of everything with the kit's tags."""
    unseen: Sequence[Unseen] = field(default=())
    absent: Sequence[Absent] = field(default=())
    """What the region does not have: nothing of it can be there."""


async def look(ground: Ground) -> Looked:
    """Everything that is there. Raises nothing that a service answers: what it refuses to tell is `unseen`, and what
    the region does not have is `absent`."""
    (told,), listed = await asyncio.gather(
        asyncio.gather(_tagged(ground), return_exceptions=True),
        asyncio.gather(*(listing(ground) for listing, _ in LISTINGS), return_exceptions=True),
    )
    things: list[Thing] = []
    unseen: list[Unseen] = []
    absent: list[Absent] = []
    covered: set[str] = set()
    for (listing, types), found in zip(LISTINGS, listed, strict=True):
        if isinstance(found, BaseException):
            what = listing.__name__.replace("_", " ")
            if why := await absence(found):
                absent.append(Absent(what, why))
            else:
                unseen.append(_unseen(what, found))
        else:
            things += found
            covered |= set(types)
    if isinstance(told, BaseException):
        unseen.append(_unseen("tags", told))
        return Looked(things, {}, unseen, absent)
    listed_arns = {thing.arn for thing in things}
    for arn in told:
        if arn not in listed_arns and type_of(arn) not in covered:
            things.append(Thing(type_of(arn).rstrip(":") or "resource", arn, arn))
    return Looked(things, told, unseen, absent)


async def _tagged(ground: Ground) -> dict[str, dict[str, str]]:
    found = await ground.aws.pages(
        "resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList", TagFilters=[{"Key": tags.MARKER}]
    )
    return {each["ResourceARN"].removesuffix(":*"): tags.from_list(each["Tags"]) for each in found}


def _unseen(what: str, error: BaseException) -> Unseen:
    """Raises what is no answer, such as a cancellation."""
    if not isinstance(error, Exception):
        raise error
    return Unseen(what, str(error).partition("\n")[0])
