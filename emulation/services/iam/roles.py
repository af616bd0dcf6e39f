"""The policies of a role, read from the state store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError
from .statements import Keys, Statement, allows, listed, statements_of


@dataclass(frozen=True)
class Role:
    """A role by its ARN, whose policies are read anew at each question."""

    aws: Aws
    arn: str

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    async def allows(self, action: str, resource: str | None, keys: Keys | None = None) -> bool:
        """Whether the role's policies, inline and attached, allow an action. A role that is gone allows nothing."""
        try:
            return allows(await self.statements(), action, resource, keys)
        except AwsError:
            return False

    async def statements(self) -> list[Statement]:
        """Raises `AwsError` when the role does not exist."""
        found: list[Statement] = []
        for name in (await self._ask("ListRolePolicies", RoleName=self.name))["PolicyNames"]:
            policy = await self._ask("GetRolePolicy", RoleName=self.name, PolicyName=name)
            found += statements_of(policy["PolicyDocument"])
        for attached in (await self._ask("ListAttachedRolePolicies", RoleName=self.name))["AttachedPolicies"]:
            arn = attached["PolicyArn"]
            version = (await self._ask("GetPolicy", PolicyArn=arn))["Policy"]["DefaultVersionId"]
            policy = await self._ask("GetPolicyVersion", PolicyArn=arn, VersionId=version)
            found += statements_of(policy["PolicyVersion"]["Document"])
        return found

    async def _ask(self, operation: str, **params: Any) -> dict[str, Any]:
        return await self.aws.store("iam", operation, **params)


async def trusts(aws: Aws, arn: str, service: str) -> bool:
    """Whether the trust policy of a role names a service, such as lambda.amazonaws.com. Raises `AwsError` when the
    role does not exist."""
    role = (await aws.store("iam", "GetRole", RoleName=arn.rpartition("/")[2]))["Role"]
    return any(
        service in listed(each["Principal"].get("Service", ()))
        for each in statements_of(role["AssumeRolePolicyDocument"])
        if each.get("Effect") == "Allow" and isinstance(each.get("Principal"), dict)
    )
