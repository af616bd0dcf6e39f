"""Event source mappings, of SQS queues."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from ..iam import Role
from .event_source import QueuePoller
from .function import Function, Functions, invalid
from .functions_api import paged
from .invoker import Invoker

Answer = dict[str, Any]
_SETTINGS = ("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig")
_NEEDED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


@dataclass(eq=False)
class Mapping:
    function: Function
    described: Answer
    poller: QueuePoller | None = None


class EventSourcesApi:
    def __init__(self, ctx: Context, functions: Functions, invoker: Invoker) -> None:
        self._ctx = ctx
        self._functions = functions
        self._invoker = invoker
        self._mappings: dict[str, Mapping] = {}

    async def stop(self) -> None:
        for mapping in self._mappings.values():
            await self._pause(mapping)

    async def create_event_source_mapping(self, call: Call) -> Answer:
        params = call.params
        function = self._functions.get(params["FunctionName"])
        source = params.get("EventSourceArn", "")
        if source.split(":")[2:3] != ["sqs"]:
            raise invalid(
                f"Only SQS queues are emulated as event sources, got {source or 'none'}. Nothing was changed."
            )
        if params.get("FilterCriteria"):
            raise invalid("FilterCriteria is not emulated. Leave it out, or run this on AWS.")
        for each in self._mappings.values():
            if each.function is function and each.described["EventSourceArn"] == source:
                raise AwsError(
                    "ResourceConflictException",
                    f'An event source mapping with SQS arn ("{source}") and function ("{function.name}") already '
                    f"exists. Please update or delete the existing mapping with UUID {each.described['UUID']}",
                    status=409,
                )
        await self._check_queue(function, source)
        described = {
            "UUID": self._ctx.ids.uuid(),
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            **{name: params[name] for name in _SETTINGS if name in params},
            "EventSourceArn": source,
            "FunctionArn": function.arn,
            "StateTransitionReason": "USER_INITIATED",
        }
        _check_batch(described)
        mapping = self._mappings[described["UUID"]] = Mapping(function, described)
        self._enable(mapping, params.get("Enabled", True))
        return self._answer(mapping)

    async def update_event_source_mapping(self, call: Call) -> Answer:
        mapping = self._get(call)
        changed = {**mapping.described, **{name: call.params[name] for name in _SETTINGS if name in call.params}}
        _check_batch(changed)
        enabled = call.params.get("Enabled", mapping.poller is not None)
        if "FunctionName" in call.params:
            mapping.function = self._functions.get(call.params["FunctionName"])
            changed["FunctionArn"] = mapping.function.arn
        await self._pause(mapping)
        mapping.described = changed
        self._enable(mapping, enabled)
        return self._answer(mapping)

    async def get_event_source_mapping(self, call: Call) -> Answer:
        return self._answer(self._get(call))

    async def list_event_source_mappings(self, call: Call) -> Answer:
        name, source = call.params.get("FunctionName"), call.params.get("EventSourceArn")
        found = [
            self._answer(each)
            for each in self._mappings.values()
            if (not name or each.function.name == self._functions.name(name))
            and source in (None, each.described["EventSourceArn"])
        ]
        return paged(found, "EventSourceMappings", call)

    async def delete_event_source_mapping(self, call: Call) -> Answer:
        mapping = self._get(call)
        del self._mappings[call.params["UUID"]]
        await self._pause(mapping)
        return {**self._answer(mapping), "State": "Deleting"}

    def _get(self, call: Call) -> Mapping:
        mapping = self._mappings.get(call.params["UUID"])
        if mapping is None:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", status=404)
        return mapping

    async def _check_queue(self, function: Function, source: str) -> None:
        """Raises `AwsError` for a role or a visibility timeout that does not suffice."""
        role = Role(self._ctx.aws, function.role)
        for name in _NEEDED:
            if not await role.allows(f"sqs:{name}", source):
                raise invalid(f"The provided execution role does not have permissions to call {name} on SQS")
        try:
            url = (await self._ctx.aws.store("sqs", "GetQueueUrl", QueueName=source.rpartition(":")[2]))["QueueUrl"]
        except AwsError as error:
            text = "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
            raise invalid(text) from error
        answer = await self._ctx.aws.store(
            "sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["VisibilityTimeout"]
        )
        visible = int(answer["Attributes"]["VisibilityTimeout"])
        if visible < function.timeout:
            raise invalid(
                f"Queue visibility timeout: {visible} seconds is less than Function timeout: {function.timeout} seconds"
            )

    def _enable(self, mapping: Mapping, enabled: bool) -> None:
        if enabled:
            mapping.poller = QueuePoller(self._ctx, self._invoker, mapping.function, mapping.described)

    async def _pause(self, mapping: Mapping) -> None:
        poller, mapping.poller = mapping.poller, None
        if poller is not None:
            await poller.stop()

    def _answer(self, mapping: Mapping) -> Answer:
        state = "Disabled" if mapping.poller is None else "Enabled"
        return {**mapping.described, "State": state, "LastModified": self._ctx.clock.utcnow()}


def _check_batch(described: Answer) -> None:
    if described["BatchSize"] > 10 and not described["MaximumBatchingWindowInSeconds"]:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
