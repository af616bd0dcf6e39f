"""Stacks, roles, fault injection."""

from __future__ import annotations

from collections.abc import Sequence

from .resource import Ground, Thing

_OVER = ("completed", "stopped", "failed", "cancelled")


async def stacks(ground: Ground) -> Sequence[Thing]:
    """DescribeStacks without a name would demand the right to describe every stack of the account; the list has all
    that is asked here, and deleted ones for 90 days."""
    found = await ground.aws.pages("cloudformation", "list_stacks", "StackSummaries")
    return [
        Thing("AWS::CloudFormation::Stack", each["StackName"], each["StackId"])
        for each in found
        if each["StackStatus"] != "DELETE_COMPLETE"
    ]


async def roles(ground: Ground) -> Sequence[Thing]:
    """The Tagging API does not tell roles: their names do, which CloudFormation makes of stack and logical id."""
    found = await ground.aws.pages("iam", "list_roles", "Roles")
    return [Thing("AWS::IAM::Role", each["RoleName"], each["Arn"]) for each in found]


async def experiment_templates(ground: Ground) -> Sequence[Thing]:
    found = await ground.aws.pages("fis", "list_experiment_templates", "experimentTemplates")
    return [
        Thing("AWS::FIS::ExperimentTemplate", each["id"], ground.arn("fis", f"experiment-template/{each['id']}"))
        for each in found
    ]


async def experiments(ground: Ground) -> Sequence[Thing]:
    """Those under way: an experiment that is over stays listed."""
    found = await ground.aws.pages("fis", "list_experiments", "experiments")
    return [
        Thing(
            "FIS experiment",
            each["id"],
            ground.arn("fis", f"experiment/{each['id']}"),
            frozenset({each["experimentTemplateId"]}),
        )
        for each in found
        if each["state"]["status"] not in _OVER
    ]
