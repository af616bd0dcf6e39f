"""Where asynchronous events end: dead letters and destinations, sent as the function's role.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.controller import Context
from ...core.errors import AwsError
from ..iam import Role
from .environment import Outcome
from .function import LATEST, Function

_ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


@dataclass(eq=False)
class Event:
    """An asynchronous invocation."""

    function: Function
    payload: bytes
    request_id: str
    queued: float
    """AWS epoch seconds."""
    attempts: int = 0
    """How often the function has run for it."""
    outcome: Outcome | None = None
    """Of the latest attempt; None while it was only throttled."""


class Results:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def succeeded(self, event: Event) -> None:
        await self._destination("OnSuccess", event, "Success")

    async def failed(self, event: Event, condition: str) -> None:
        """`condition` is RetriesExhausted or EventAgeExceeded."""
        if event.function.dead_letters:
            await self._dead_letter(event)
        await self._destination("OnFailure", event, condition)

    async def _dead_letter(self, event: Event) -> None:
        outcome = event.outcome
        error = "Rate Exceeded." if outcome is None else _json(outcome.payload).get("errorMessage")
        attributes = {
            "RequestID": event.request_id,
            "ErrorCode": "429" if outcome is None else "200",
            "ErrorMessage": str(error or "unknown")[:1024],
        }
        body = event.payload.decode(errors="replace")
        await self._send(event.function, event.function.dead_letters, body, attributes)

    async def _destination(self, kind: str, event: Event, condition: str) -> None:
        function, outcome = event.function, event.outcome
        target = function.retries.get("DestinationConfig", {}).get(kind, {}).get("Destination")
        if not target:
            return
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": f"{self._ctx.clock.utcnow():%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": f"{function.arn}:{LATEST}",
                "condition": condition,
                "approximateInvokeCount": event.attempts,
            },
            "requestPayload": json.loads(event.payload),
        }
        if outcome is not None:
            error = {"functionError": outcome.error} if outcome.error else {}
            record["responseContext"] = {"statusCode": 200, "executedVersion": LATEST, **error}
            record["responsePayload"] = json.loads(outcome.payload)
        await self._send(function, target, json.dumps(record), {})

    async def _send(self, function: Function, target: str, body: str, attributes: Mapping[str, str]) -> None:
        """Send to a queue, topic or function. What the role does not allow is lost, as on AWS."""
        service = target.split(":")[2]
        if not await Role(self._ctx.aws, function.role).allows(_ACTIONS[service], target):
            self._ctx.log.warning("the role of %s does not allow %s on %s", function.name, _ACTIONS[service], target)
            return
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        call = self._ctx.aws.call
        try:
            if service == "sqs":
                url = (await call("sqs", "GetQueueUrl", QueueName=target.rpartition(":")[2]))["QueueUrl"]
                await call("sqs", "SendMessage", QueueUrl=url, MessageBody=body, MessageAttributes=typed)
            elif service == "sns":
                await call("sns", "Publish", TopicArn=target, Message=body, MessageAttributes=typed)
            else:
                await call("lambda", "Invoke", FunctionName=target, InvocationType="Event", Payload=body.encode())
        except AwsError as error:
            self._ctx.log.warning("an event of %s does not reach %s: %s", function.name, target, error)


def _json(payload: bytes) -> dict[str, Any]:
    found = json.loads(payload or b"{}")
    return found if isinstance(found, dict) else {}
