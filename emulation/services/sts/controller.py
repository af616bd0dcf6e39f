"""STS: caller identities, and role sessions whose keys expire.

AssumeRole --> keys whose caller is arn:aws:sts::…:assumed-role/<role>/<session>, refused after their time
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import unescape

from ...core.controller import Call, Caller, Context, Credentials, Operation, Watcher
from ...core.errors import AwsError
from ..controller_base import ServiceController
from .trust import allows

_SHORTEST, _LONGEST_TOKEN = 900, 129_600
"""Seconds: https://docs.aws.amazon.com/STS/latest/APIReference/"""
_DEFAULT, _DEFAULT_TOKEN = 3600, 43_200
_ELEMENT = {name: re.compile(f"<{name}>([^<]+)</{name}>") for name in ("AccessKeyId", "SecretAccessKey")}


class Sts(ServiceController):
    service = "sts"

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._user_keys: dict[str, Credentials] = {}
        """The access keys of IAM users, by their ids."""

    async def get_caller_identity(self, call: Call) -> dict[str, Any]:
        arn = await self._arn(call.caller)
        kind, _, name = arn.rpartition(":")[2].partition("/")
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            user_id = f"{await self._role_id(role)}:{session}"
        else:
            user_id = call.caller.name
        return {"UserId": user_id, "Account": self._ctx.account, "Arn": arn}

    async def _arn(self, caller: Caller) -> str:
        """The identity's ARN: a task's role session, an assumed role's, or a user's."""
        if caller.name.startswith("arn:aws:sts:"):
            return caller.name
        if caller.kind == "task":
            role = await self._task_role(caller.name)
            return f"arn:aws:sts::{self._ctx.account}:assumed-role/{role}/{caller.name.rpartition('/')[2]}"
        name = "tester" if caller.kind == "external" else caller.name
        return f"arn:aws:iam::{self._ctx.account}:user/{name}"

    async def _task_role(self, task: str) -> str:
        cluster = task.split("/")[1]
        answer = await self._ctx.aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=[task])
        definition = answer["tasks"][0]["taskDefinitionArn"]
        answer = await self._ctx.aws.call("ecs", "DescribeTaskDefinition", taskDefinition=definition)
        return str(answer["taskDefinition"].get("taskRoleArn", "none")).rpartition("/")[2]

    async def _role_id(self, role: str) -> str:
        try:
            answer = await self._ctx.aws.call("iam", "GetRole", RoleName=role)
        except AwsError:  # deleted since
            return "AROAUNKNOWN"
        return str(answer["Role"]["RoleId"])

    async def assume_role(self, call: Call) -> dict[str, Any]:
        principal = await self._arn(call.caller)
        accepted = (f"arn:aws:iam::{self._ctx.account}:root", self._ctx.account, principal)
        return await self._assume(call, principal, "AWS", accepted)

    async def assume_role_with_web_identity(self, call: Call) -> dict[str, Any]:
        """The token's signature is not checked."""
        providers = await self._ctx.aws.call("iam", "ListOpenIDConnectProviders")
        accepted = [each["Arn"] for each in providers["OpenIDConnectProviderList"]]
        answer = await self._assume(call, "the bearer of this token", "Federated", accepted)
        return {**answer, "Provider": accepted[0] if accepted else "", "Audience": "sts.amazonaws.com"}

    async def _assume(self, call: Call, principal: str, kind: str, accepted: Any) -> dict[str, Any]:
        arn, session = call.params["RoleArn"], call.params["RoleSessionName"]
        if not arn.startswith("arn:"):
            raise AwsError("ValidationError", f"{arn} is invalid")
        name = arn.rpartition("/")[2]
        refusal = AwsError(
            "AccessDenied",
            f"User: {principal} is not authorized to perform: sts:{call.operation} on resource: {arn}",
            status=403,
        )
        try:
            role = (await self._ctx.aws.call("iam", "GetRole", RoleName=name))["Role"]
        except AwsError as error:
            raise refusal from error
        if role["Arn"] != arn or not allows(role["AssumeRolePolicyDocument"], f"sts:{call.operation}", kind, accepted):
            raise refusal
        # A role assumed by a role's session lasts an hour at most.
        longest = _DEFAULT if principal.startswith("arn:aws:sts:") else role.get("MaxSessionDuration", _DEFAULT)
        seconds = call.params.get("DurationSeconds", _DEFAULT)
        if not _SHORTEST <= seconds <= longest:
            raise AwsError(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                if seconds > longest
                else f"DurationSeconds must be at least {_SHORTEST}, got {seconds}",
            )
        assumed = f"arn:aws:sts::{self._ctx.account}:assumed-role/{name}/{session}"
        return {
            "Credentials": self._issued(Caller("external", assumed), seconds),
            "AssumedRoleUser": {"AssumedRoleId": f"{role['RoleId']}:{session}", "Arn": assumed},
        }

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {
            ("iam", "CreateAccessKey"): self._user_key_created,
            ("iam", "UpdateAccessKey"): self._user_key_updated,
            ("iam", "DeleteAccessKey"): lambda call: self._ctx.callers.revoke(call.params["AccessKeyId"]),
        }

    def _user_key_created(self, call: Call) -> None:
        answer = call.answer.decode()
        key, secret = (_ELEMENT[name].search(answer) for name in ("AccessKeyId", "SecretAccessKey"))
        if key and secret:
            self._user_keys[key[1]] = Credentials(key[1], unescape(secret[1]), "")
            self._ctx.callers.admit(self._user_keys[key[1]], Caller("external", key[1]))

    def _user_key_updated(self, call: Call) -> None:
        key = call.params["AccessKeyId"]
        if call.params["Status"] != "Active":
            self._ctx.callers.revoke(key)
        elif key in self._user_keys:
            self._ctx.callers.admit(self._user_keys[key], Caller("external", key))

    async def get_session_token(self, call: Call) -> dict[str, Any]:
        if call.caller.name.startswith("arn:aws:sts:") or call.caller.kind == "task":
            raise AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", status=403)
        seconds = call.params.get("DurationSeconds", _DEFAULT_TOKEN)
        if not _SHORTEST <= seconds <= _LONGEST_TOKEN:
            raise AwsError("ValidationError", f"DurationSeconds must be {_SHORTEST} to {_LONGEST_TOKEN}, got {seconds}")
        return {"Credentials": self._issued(call.caller, seconds)}

    def _issued(self, caller: Caller, seconds: float) -> dict[str, Any]:
        until = self._ctx.clock.now() + seconds
        keys: Credentials = self._ctx.callers.issue(caller, until)
        return {
            "AccessKeyId": keys.access_key_id,
            "SecretAccessKey": keys.secret_access_key,
            "SessionToken": keys.session_token,
            "Expiration": datetime.fromtimestamp(until, UTC),
        }
