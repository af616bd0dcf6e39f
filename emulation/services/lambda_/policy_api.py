"""A function's resource-based policy: who may invoke it."""

from __future__ import annotations

import json
from typing import Any

from ...core.controller import Call, Context
from ...core.errors import AwsError
from .function import Functions

Answer = dict[str, Any]
_CONDITIONS = {
    "SourceArn": ("ArnLike", "AWS:SourceArn"),
    "SourceAccount": ("StringEquals", "AWS:SourceAccount"),
    "PrincipalOrgID": ("StringEquals", "aws:PrincipalOrgID"),
    "EventSourceToken": ("StringEquals", "lambda:EventSourceToken"),
}


class PolicyApi:
    def __init__(self, ctx: Context, functions: Functions) -> None:
        self._ctx = ctx
        self._functions = functions

    async def add_permission(self, call: Call) -> Answer:
        params = call.params
        function = self._functions.get(params["FunctionName"], params.get("Qualifier"))
        name = params["StatementId"]
        if name in function.policy:
            raise AwsError(
                "ResourceConflictException",
                f"The statement id ({name}) provided already exists. Please provide a new statement id, or remove the "
                "existing statement.",
                status=409,
            )
        statement: Answer = {
            "Sid": name,
            "Effect": "Allow",
            "Principal": self._principal(params["Principal"]),
            "Action": params["Action"],
            "Resource": function.arn,
        }
        for parameter, (operator, key) in _CONDITIONS.items():
            if parameter in params:
                statement.setdefault("Condition", {}).setdefault(operator, {})[key] = params[parameter]
        function.policy[name] = statement
        function.revision = self._ctx.ids.uuid()
        return {"Statement": json.dumps(statement)}

    async def remove_permission(self, call: Call) -> Answer:
        function = self._functions.get(call.params["FunctionName"], call.params.get("Qualifier"))
        if function.policy.pop(call.params["StatementId"], None) is None:
            raise AwsError(
                "ResourceNotFoundException",
                f"Statement {call.params['StatementId']} is not found in resource policy.",
                status=404,
            )
        function.revision = self._ctx.ids.uuid()
        return {}

    async def get_policy(self, call: Call) -> Answer:
        function = self._functions.get(call.params["FunctionName"], call.params.get("Qualifier"))
        if not function.policy:
            raise AwsError("ResourceNotFoundException", "The resource you requested does not exist.", status=404)
        policy = {"Version": "2012-10-17", "Id": "default", "Statement": list(function.policy.values())}
        return {"Policy": json.dumps(policy), "RevisionId": function.revision}

    @staticmethod
    def _principal(given: str) -> Any:
        if given == "*":
            return "*"
        if given.endswith(".amazonaws.com"):
            return {"Service": given}
        return {"AWS": given if given.startswith("arn:") else f"arn:aws:iam::{given}:root"}
