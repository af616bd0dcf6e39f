"""Invoke, and the settings of asynchronous invocations."""

from __future__ import annotations

import base64
import json
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from .fleet import Fleet
from .function import LATEST, Function, Functions, invalid
from .functions_api import paged
from .invoker import Invoker

Answer = dict[str, Any]
MOST_BYTES = {"RequestResponse": 6_291_556, "Event": 1_048_576, "DryRun": 6_291_556}
"""Of a payload, by invocation type: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_DESTINATIONS = ("sqs", "sns", "lambda")


class InvokeApi:
    def __init__(self, ctx: Context, functions: Functions, fleet: Fleet, invoker: Invoker) -> None:
        self._ctx = ctx
        self._functions = functions
        self._fleet = fleet
        self._invoker = invoker

    async def invoke(self, call: Call) -> Answer:
        function = self._function(call)
        kind = call.params.get("InvocationType", "RequestResponse")
        payload = call.params.get("Payload") or b""
        payload = payload if isinstance(payload, bytes) else str(payload).encode()
        if len(payload) > (most := MOST_BYTES[kind]):
            message = f"Request must be smaller than {most} bytes for the InvokeFunction operation"
            raise AwsError("RequestTooLargeException", message, status=413)
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            raise AwsError(
                "InvalidRequestContentException", f"Could not parse request body into json: {error}"
            ) from error
        if kind == "DryRun":
            return {"StatusCode": 204}
        if kind == "Event":
            self._invoker.queue(function, payload, call.request_id)
            return {"StatusCode": 202, "Payload": b""}
        outcome = await self._invoker.run(function, payload, call.request_id)
        answer: Answer = {"StatusCode": 200, "Payload": outcome.payload, "ExecutedVersion": LATEST}
        if outcome.error:
            answer["FunctionError"] = outcome.error
        if call.params.get("LogType") == "Tail":
            answer["LogResult"] = base64.b64encode(outcome.log).decode()
        return answer

    async def put_function_event_invoke_config(self, call: Call) -> Answer:
        function = self._function(call)
        function.retries = self._settings(call)
        return self._described(function)

    async def update_function_event_invoke_config(self, call: Call) -> Answer:
        function = self._configured(call)
        function.retries = {**function.retries, **self._settings(call)}
        return self._described(function)

    async def get_function_event_invoke_config(self, call: Call) -> Answer:
        return self._described(self._configured(call))

    async def list_function_event_invoke_configs(self, call: Call) -> Answer:
        function = self._function(call)
        return paged([self._described(function)] if function.retries else [], "FunctionEventInvokeConfigs", call)

    async def delete_function_event_invoke_config(self, call: Call) -> Answer:
        self._configured(call).retries = {}
        return {}

    def _function(self, call: Call) -> Function:
        return self._functions.get(call.params["FunctionName"], call.params.get("Qualifier"))

    def _configured(self, call: Call) -> Function:
        function = self._function(call)
        if not function.retries:
            text = f"The function {function.arn} doesn't have an EventInvokeConfig"
            raise AwsError("ResourceNotFoundException", text, status=404)
        return function

    def _settings(self, call: Call) -> Answer:
        names = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
        settings = {name: call.params[name] for name in names if name in call.params}
        for kind, each in settings.get("DestinationConfig", {}).items():
            arn = each.get("Destination", "")
            if arn and arn.split(":")[2:3] not in [[service] for service in _DESTINATIONS]:
                raise invalid(f"The destination {kind} must be an SQS queue, SNS topic or function here, got {arn!r}.")
        return {**settings, "LastModified": self._ctx.clock.utcnow()}

    @staticmethod
    def _described(function: Function) -> Answer:
        return {"FunctionArn": f"{function.arn}:{LATEST}", **function.retries}
