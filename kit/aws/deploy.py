"""Deploys and deletes stacks through CloudFormation; an error names the first cause."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ..core.clock import Clock
from ..core.errors import InfraError, UsageError, WaitExpired
from ..core.eventually import NotYet, eventually
from .client import Aws
from .outputs import Stack, outputs_of

T = TypeVar("T")

LARGEST_TEMPLATE = 51_200
"""CloudFormation's limit for TemplateBody, in bytes."""

_FOLLOW_UPS = ("Resource creation cancelled", "Resource update cancelled", "The following resource(s) failed to")
"""Events that follow from another failure."""

Tell = Callable[[str], None]
"""Takes one line of progress."""

Prepared = Callable[[str, Sequence[Mapping[str, Any]]], None]
"""Takes a change set's ARN and its resource changes, before it is executed."""

_OVERTAKEN = {
    f"{code}{suffix}" for code in ("InvalidChangeSetStatus", "ChangeSetNotFound") for suffix in ("", "Exception")
}
"""Error codes for the change set of a new stack when another one was executed first."""


class StackConflict(UsageError):
    """Another user created a stack of this name at the same time. Nothing was changed."""


async def deploy(
    aws: Aws,
    clock: Clock,
    name: str,
    template: str,
    parameters: Mapping[str, str],
    *,
    within: float,
    tags: Mapping[str, str] | None = None,
    prepared: Prepared | None = None,
    tell: Tell | None = None,
    new: bool | None = None,
) -> Stack:
    """Create or update the stack, and return it with its outputs. `within` is AWS seconds.

    `tags` are put on the stack and all resources that support tags; `tell` gets the stack's events. With `new`, an
    existing stack is not updated: `StackConflict` is raised. Raises `UsageError` when the template is refused,
    `InfraError` with the first cause when a resource fails.
    """
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

    before = None if new else await _stack(aws, name)
    exists = not new if new is not None else before is not None
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
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {"webordinary-test-kit": name}).items()],
        )
    except ClientError as error:
        if new and "already exists" in error.response["Error"]["Message"]:
            raise _taken(name) from error
        if error.response["Error"]["Code"] not in ("ValidationError", "InsufficientCapabilitiesException"):
            raise
        raise _refused(error.response["Error"]["Message"]) from error
    events = Events(aws, change_set.get("StackId", name), tell)
    await events.skip()
    try:
        if await _prepared(aws, clock, change_set["Id"], within):
            if prepared is not None:
                prepared(change_set["Id"], await _changes(aws, change_set["Id"]))
            await aws.call("cloudformation", "execute_change_set", ChangeSetName=change_set["Id"])
            stack = await _deployed(aws, clock, name, within, events, before=before)
        else:
            stack = await _deployed(aws, clock, name, within, events, before=None)
    except ClientError as error:
        if not new or error.response["Error"]["Code"] not in _OVERTAKEN:
            raise
        raise _taken(name) from error
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise await _failure(aws, name, stack)
    return Stack(name, outputs_of(stack)).verify()


class Events:
    """Reports a stack's new events."""

    def __init__(self, aws: Aws, stack: str, tell: Tell | None) -> None:
        self._aws = aws
        self._stack = stack
        self._say = tell
        self._seen: set[str] = set()

    async def skip(self) -> None:
        """Ignore the events so far."""
        if self._say is not None:
            self._seen |= {event["EventId"] for event in await self._all()}

    async def tell(self) -> None:
        """Report new events."""
        if self._say is None:
            return
        for event in reversed(await self._all()):
            if event["EventId"] not in self._seen:
                self._seen.add(event["EventId"])
                # The start of each resource would double the output without new information.
                if not event["ResourceStatus"].endswith("_IN_PROGRESS") or _is_the_stack(event):
                    self._say(_line(event))

    async def _all(self) -> list[dict[str, Any]]:
        return await self._aws.pages("cloudformation", "describe_stack_events", "StackEvents", StackName=self._stack)


def _is_the_stack(event: Mapping[str, Any]) -> bool:
    return event.get("PhysicalResourceId") == event.get("StackId")


def _line(event: Mapping[str, Any]) -> str:
    reason = event.get("ResourceStatusReason", "")
    line = f"{event['ResourceStatus']:<20} {event['LogicalResourceId']}  {event['ResourceType']}"
    return f"{line}  {reason}" if reason and event["ResourceStatus"].endswith("FAILED") else line


async def _changes(aws: Aws, change_set: str) -> list[dict[str, Any]]:
    changes = await aws.pages("cloudformation", "describe_change_set", "Changes", ChangeSetName=change_set)
    return [change["ResourceChange"] for change in changes if "ResourceChange" in change]


async def stack_named(aws: Aws, name: str) -> dict[str, Any] | None:
    """DescribeStacks' description of a stack, by name or ARN; None when it does not exist or is deleted."""
    found = await _stack(aws, name)
    return None if found is None or found["StackStatus"] == "DELETE_COMPLETE" else found


async def destroy(
    aws: Aws, clock: Clock, stack_id: str, *, within: float, tell: Tell | None = None, attempts: int = 3
) -> None:
    """Delete a stack by its ARN and wait until it is gone, in several attempts. Harmless when it is gone already.

    Raises `InfraError` with the first cause of the last attempt.
    """
    events = Events(aws, stack_id, tell)
    if await stack_named(aws, stack_id) is None:
        return
    await events.skip()
    pause = 10.0
    for attempt in range(1, attempts + 1):
        await aws.call("cloudformation", "delete_stack", StackName=stack_id)
        left = await _deleted(aws, clock, stack_id, within, events)
        if left is None:
            return
        failure = await _failure(aws, left["StackName"], left)
        if tell is not None:
            tell(f"attempt {attempt} of {attempts} to delete the stack failed: {failure.what}")
        if attempt == attempts:
            raise failure
        await clock.sleep(pause)
        pause *= 2


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
    """Whether the change set has changes. Raises `UsageError` when CloudFormation refuses it."""

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


async def _deployed(
    aws: Aws, clock: Clock, name: str, within: float, events: Events, *, before: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The stack, once its operation has ended, including clean-up; `before` is its description before an update."""

    async def look() -> dict[str, Any]:
        stack = await _stack(aws, name)
        await events.tell()
        if stack is None:
            raise InfraError(f"stack {name} disappeared while it was deployed")
        if before is not None and stack.get("LastUpdatedTime") == before.get("LastUpdatedTime"):
            raise NotYet(f"{stack['StackStatus']}, as before the update")
        if stack["StackStatus"].endswith("_IN_PROGRESS"):
            raise NotYet(str(stack["StackStatus"]))
        return stack

    return await _waited(look, clock, within, f"stack {name} to be deployed")


async def _deleted(aws: Aws, clock: Clock, stack_id: str, within: float, events: Events) -> dict[str, Any] | None:
    """None once it is deleted; the stack when that failed."""

    async def look() -> dict[str, Any] | None:
        stack = await stack_named(aws, stack_id)
        await events.tell()
        if stack is not None and stack["StackStatus"] != "DELETE_FAILED":
            raise NotYet(str(stack["StackStatus"]))
        return stack

    return await _waited(look, clock, within, f"stack {stack_id} to be deleted")


async def _waited(look: Callable[[], Awaitable[T]], clock: Clock, within: float, what: str) -> T:
    try:
        return await eventually(look, until=lambda _: True, within=within, clock=clock, every=2.0, describe=what)
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


def _taken(name: str) -> StackConflict:
    return StackConflict(
        f"another user created stack {name} at the same time",
        next="wait until it is deleted, or use another name: --set stack.name=…",
    )


def template_text(path: Path | None) -> str:
    """The template to deploy: by default the kit's. Raises `UsageError` when it is unreadable or too large."""
    chosen = path or Path(__file__).parent.parent / "system" / "integration-test-stack.yaml"
    try:
        text = chosen.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the template cannot be read: {error}", where=str(chosen), next="correct stack.template"
        ) from None
    size = len(text.encode())
    if size > LARGEST_TEMPLATE:
        raise UsageError(
            f"the template has {size:,} bytes, CloudFormation accepts {LARGEST_TEMPLATE:,}", where=str(chosen)
        )
    return text
