"""Refuses the calls of a function that its role does not allow."""

from __future__ import annotations

from ...core.controller import Context
from ...core.errors import AwsError
from ...gateway.intercept import InterceptedCall
from ..iam import Role
from ..iam.calls import asked

_ALWAYS = ("sts:GetCallerIdentity",)


class RolePermissions:
    """An `Interceptor` of the gateway's."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def __call__(self, call: InterceptedCall) -> AwsError | None:
        if call.caller.kind != "function":
            return None
        wanted = asked(call.service, call.operation, call.read(), call.region, self._ctx.account)
        if wanted.action in _ALWAYS:
            return None
        role = Role(self._ctx.aws, call.caller.name.split("/")[1])
        for resource in wanted.resources:
            if not await role.allows(wanted.action, resource, wanted.keys):
                return AwsError(
                    "AccessDenied" if call.service in ("s3", "sns", "sqs", "iam", "sts") else "AccessDeniedException",
                    f"User: {call.caller.name} is not authorized to perform: {wanted.action} on resource: "
                    f"{resource or '*'} because no identity-based policy allows the {wanted.action} action",
                    status=403,
                )
        return None
