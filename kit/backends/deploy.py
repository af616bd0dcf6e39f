"""Deploys the stack by a CloudFormation change set, as it would be done by hand; a failure shows its first cause."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kit.backends.aws import Aws
from kit.backends.stack import Stack
from kit.clock import Clock
from kit.errors import InfraError, UsageError, WaitExpired
from kit.eventually import eventually

LARGEST_TEMPLATE = 51_200
"""Bytes CloudFormation takes in TemplateBody."""

_FOLLOW_UPS = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed to")
"""Events that are consequences of another failure."""


async def deploy(
    aws: Aws, clock: Clock, name: str, template: str, parameters: Mapping[str, str], *, within: float
) -> Stack:
    """Create the stack, or update it when it is there; returns it with its outputs. `within` is AWS seconds.

    Raises `UsageError` when the template is refused as it is, `InfraError` with the first cause when a
    resource fails.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

    exists = await _stack(aws, name) is not None
    try:
        change_set = await aws.call(
            "cloudformation",
            "create_change_set",
            StackName=name,
            ChangeSetName=f"kit-{int(clock.now() * 1000)}",
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
            Tags=[{"Key": "webordinary-test-kit", "Value": name}],
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ValidationError", "InsufficientCapabilitiesException"):
            raise
        raise _refused(error.response["Error"]["Message"]) from error
    if await _prepared(aws, clock, change_set["Id"], within):
        await aws.call("cloudformation", "execute_change_set", ChangeSetName=change_set["Id"])
    stack = await _settled(aws, clock, name, within)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise await _failure(aws, name, stack)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    return Stack.from_outputs(name, outputs)


async def _stack(aws: Aws, name: str) -> dict[str, Any] | None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

    try:
        answer = await aws.call("cloudformation", "describe_stacks", StackName=name)
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    found: dict[str, Any] = answer["Stacks"][0]
    return found


async def _prepared(aws: Aws, clock: Clock, change_set: str, within: float) -> bool:
    """Whether the change set holds changes. Raises `UsageError` when it could not be made."""

    async def look() -> dict[str, Any]:
        return await aws.call("cloudformation", "describe_change_set", ChangeSetName=change_set)

    found = await eventually(
        look,
        until=lambda answer: answer["Status"] in ("CREATE_COMPLETE", "FAILED"),
        within=within,
        clock=clock,
        describe="the change set to be ready",
    )
    if found["Status"] == "CREATE_COMPLETE":
        return True
    reason = found.get("StatusReason", "")
    if "didn't contain changes" in reason or "No updates" in reason:
        return False
    raise _refused(reason)


async def _settled(aws: Aws, clock: Clock, name: str, within: float) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        stack = await _stack(aws, name)
        if stack is None:
            raise InfraError(f"stack {name} disappeared while it was deployed")
        return stack

    try:
        return await eventually(
            look,
            until=lambda stack: (
                not stack["StackStatus"].endswith("_IN_PROGRESS")
                or stack["StackStatus"].startswith("UPDATE_COMPLETE_CLEANUP")
            ),
            within=within,
            clock=clock,
            every=2.0,
            describe=f"stack {name} to be deployed",
        )
    except WaitExpired as expired:
        raise InfraError(str(expired), next="look at its events: aws cloudformation describe-stack-events") from expired


async def _failure(aws: Aws, name: str, stack: Mapping[str, Any]) -> InfraError:
    events = await aws.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=stack["StackId"])
    failed = [
        event
        for event in sorted(events, key=lambda event: event["Timestamp"])
        if event["ResourceStatus"].endswith("_FAILED")
        and not event.get("ResourceStatusReason", "").startswith(_FOLLOW_UPS)
    ]
    if not failed:
        return InfraError(
            f"stack {name} ended as {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason given')}"
        )
    first = failed[0]
    reason = first.get("ResourceStatusReason", "no reason given")
    return InfraError(
        f"stack {name} ended as {stack['StackStatus']}; the first cause: {reason}",
        where=f"{first['LogicalResourceId']} ({first['ResourceType']})",
        next="correct the template, or see all events: aws cloudformation describe-stack-events --stack-name " + name,
    )


def _refused(reason: str) -> UsageError:
    return UsageError(f"CloudFormation refuses the template: {reason}", next="correct the template or its parameters")


def template_text(path: Path | None) -> str:
    """The template to deploy: the kit's own, or the one that the settings name.

    Raises `UsageError` when it cannot be read or is larger than CloudFormation takes.
    """
    chosen = path or Path(__file__).parent.parent / "stack" / "integration-test-stack.yaml"
    try:
        text = chosen.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the template cannot be read: {error}", where=str(chosen), next="correct stack.template"
        ) from None
    size = len(text.encode())
    if size > LARGEST_TEMPLATE:
        raise UsageError(
            f"the template has {size:,} bytes, CloudFormation takes {LARGEST_TEMPLATE:,}", where=str(chosen)
        )
    return text
