"""Checks that FIS can assume an experiment's role and that the role allows its actions.

Statements of its policies are matched by action; resources and conditions are ignored.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import unquote

from ...core.controller import Aws
from ...core.errors import AwsError
from .model import ExperimentFailed

_SERVICE = "fis.amazonaws.com"


async def check(aws: Aws, arn: str, needed: Iterable[str]) -> None:
    """Raises `ExperimentFailed`."""
    name = arn.rpartition("/")[2]
    try:
        role = (await aws.call("iam", "GetRole", RoleName=name))["Role"]
    except AwsError as error:
        raise ExperimentFailed(f"Unable to assume role {arn}: it does not exist", "AccessDenied") from error
    trust = _document(role["AssumeRolePolicyDocument"])
    services = [
        service
        for each in _listed(trust.get("Statement", ()))
        if each.get("Effect") == "Allow" and isinstance(each.get("Principal"), Mapping)
        for service in _listed(each["Principal"].get("Service", ()))
    ]
    if _SERVICE not in services:
        raise ExperimentFailed(
            f"Unable to assume role {arn}: its trust policy does not name {_SERVICE}", "AccessDenied"
        )
    statements = [each async for each in _statements(aws, name)]
    for action in needed:
        effects = {each["Effect"] for each in statements if _covers(each, action)}
        if effects != {"Allow"}:
            raise ExperimentFailed(f"Role {arn} is not authorized to perform {action}", "AccessDenied")


async def _statements(aws: Aws, role: str) -> AsyncIterator[Mapping[str, Any]]:
    for name in (await aws.call("iam", "ListRolePolicies", RoleName=role))["PolicyNames"]:
        policy = await aws.call("iam", "GetRolePolicy", RoleName=role, PolicyName=name)
        for each in _listed(_document(policy["PolicyDocument"]).get("Statement", ())):
            yield each
    for attached in (await aws.call("iam", "ListAttachedRolePolicies", RoleName=role))["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = (await aws.call("iam", "GetPolicy", PolicyArn=arn))["Policy"]["DefaultVersionId"]
        found = await aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
        for each in _listed(_document(found["PolicyVersion"]["Document"]).get("Statement", ())):
            yield each


def _covers(statement: Mapping[str, Any], action: str) -> bool:
    patterns = _listed(statement.get("Action", ()))
    return any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in patterns)


def _document(value: Any) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(unquote(value)) if isinstance(value, str) else value
    return document


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
