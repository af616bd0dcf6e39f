"""AWS::IAM: roles and policies. Nothing here enforces them; they are kept and shown as AWS does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import PropertyError
from ..intrinsics import text
from ..names import physical_name
from ..summary import words
from .base import ResourceType, Work, tagging
from .documents import document

_ATTACHED_TO = {"Roles": "Role", "Users": "User", "Groups": "Group"}


async def create_role(work: Work) -> None:
    params = work.params("iam", "CreateRole", leave="AssumeRolePolicyDocument ManagedPolicyArns Policies RoleName")
    trust = document(work.get("AssumeRolePolicyDocument"))
    policies = _inline(work.properties)
    answer = await work.call("iam", "CreateRole", RoleName=work.name(64), AssumeRolePolicyDocument=trust, **params)
    role = answer["Role"]
    work.made(role["RoleName"], Arn=role["Arn"], RoleId=role["RoleId"])
    for arn in work.get("ManagedPolicyArns", []):
        await work.call("iam", "AttachRolePolicy", RoleName=work.physical_id, PolicyArn=text(arn))
    for name, body in policies.items():
        await work.call("iam", "PutRolePolicy", RoleName=work.physical_id, PolicyName=name, PolicyDocument=body)


async def update_role(work: Work) -> None:
    role = work.physical_id
    if work.changed("AssumeRolePolicyDocument"):
        trust = document(work.get("AssumeRolePolicyDocument"))
        await work.call("iam", "UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=trust)
    if work.changed("Description", "MaxSessionDuration"):
        params = work.params("iam", "UpdateRole", only="Description MaxSessionDuration")
        await work.call("iam", "UpdateRole", RoleName=role, **params)
    if work.changed("PermissionsBoundary"):
        if "PermissionsBoundary" in work.properties:
            boundary = work.text("PermissionsBoundary")
            await work.call("iam", "PutRolePermissionsBoundary", RoleName=role, PermissionsBoundary=boundary)
        else:
            await work.call("iam", "DeleteRolePermissionsBoundary", RoleName=role)
    attached, wanted = (set(map(text, each.get("ManagedPolicyArns", []))) for each in (work.before, work.properties))
    for arn in sorted(attached - wanted):
        await work.call("iam", "DetachRolePolicy", RoleName=role, PolicyArn=arn)
    for arn in sorted(wanted - attached):
        await work.call("iam", "AttachRolePolicy", RoleName=role, PolicyArn=arn)
    had, has = _inline(work.before), _inline(work.properties)
    for name in sorted(set(had) - set(has)):
        await work.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)
    for name, body in has.items():
        if had.get(name) != body:
            await work.call("iam", "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=body)


async def delete_role(work: Work) -> None:
    role = work.physical_id
    attached = await work.call("iam", "ListAttachedRolePolicies", RoleName=role)
    for policy in attached["AttachedPolicies"]:
        await work.call("iam", "DetachRolePolicy", RoleName=role, PolicyArn=policy["PolicyArn"])
    inline = await work.call("iam", "ListRolePolicies", RoleName=role)
    for name in inline["PolicyNames"]:
        await work.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)
    await work.call("iam", "DeleteRole", RoleName=role)


def _inline(properties: Mapping[str, Any]) -> dict[str, str]:
    result = {}
    for policy in properties.get("Policies", []):
        if set(policy) != {"PolicyName", "PolicyDocument"}:
            raise PropertyError(f"Each of Policies must have PolicyName and PolicyDocument, got {sorted(policy)}")
        result[text(policy["PolicyName"])] = document(policy["PolicyDocument"])
    return result


async def create_policy(work: Work) -> None:
    if not any(work.get(each) for each in _ATTACHED_TO):
        raise PropertyError("At least one of [Groups,Roles,Users] must be non-empty.")
    policy = physical_name(work.stack_name, work.logical_id, work.ctx.ids, 64)
    work.made(policy, Id=policy)
    await _put_everywhere(work)


async def update_policy(work: Work) -> None:
    moved = work.changed("PolicyName")
    for kind, singular in _ATTACHED_TO.items():
        for name in work.before.get(kind, []):
            if moved or name not in work.get(kind, []):
                await work.call(
                    "iam",
                    f"Delete{singular}Policy",
                    PolicyName=text(work.before["PolicyName"]),
                    **{f"{singular}Name": name},
                )
    await _put_everywhere(work)


async def _put_everywhere(work: Work) -> None:
    body = document(work.get("PolicyDocument"))
    for kind, singular in _ATTACHED_TO.items():
        for name in work.get(kind, []):
            await work.call(
                "iam",
                f"Put{singular}Policy",
                PolicyName=work.text("PolicyName"),
                PolicyDocument=body,
                **{f"{singular}Name": name},
            )


async def delete_policy(work: Work) -> None:
    for kind, singular in _ATTACHED_TO.items():
        for name in work.get(kind, []):
            await work.call(
                "iam", f"Delete{singular}Policy", PolicyName=work.text("PolicyName"), **{f"{singular}Name": name}
            )


async def create_managed_policy(work: Work) -> None:
    params = work.params("iam", "CreatePolicy", leave="PolicyDocument ManagedPolicyName Groups Roles Users")
    answer = await work.call(
        "iam", "CreatePolicy", PolicyName=work.name(128), PolicyDocument=document(work.get("PolicyDocument")), **params
    )
    policy = answer["Policy"]
    work.made(
        policy["Arn"],
        PolicyArn=policy["Arn"],
        PolicyId=policy["PolicyId"],
        DefaultVersionId=policy["DefaultVersionId"],
        AttachmentCount=policy.get("AttachmentCount", 0),
        IsAttachable=policy.get("IsAttachable", True),
        PermissionsBoundaryUsageCount=0,
        CreateDate=str(policy["CreateDate"]),
        UpdateDate=str(policy["UpdateDate"]),
    )
    await _attach(work)


async def update_managed_policy(work: Work) -> None:
    if work.changed("PolicyDocument"):
        versions = await work.call("iam", "ListPolicyVersions", PolicyArn=work.physical_id)
        spare = [each["VersionId"] for each in versions["Versions"] if not each["IsDefaultVersion"]]
        if len(spare) >= 4:  # IAM keeps five versions of a policy
            await work.call("iam", "DeletePolicyVersion", PolicyArn=work.physical_id, VersionId=spare[-1])
        body = document(work.get("PolicyDocument"))
        await work.call(
            "iam", "CreatePolicyVersion", PolicyArn=work.physical_id, PolicyDocument=body, SetAsDefault=True
        )
    await _attach(work)


async def _attach(work: Work) -> None:
    for kind, singular in _ATTACHED_TO.items():
        had, has = work.before.get(kind, []), work.get(kind, [])
        for name in [each for each in had if each not in has]:
            await work.call("iam", f"Detach{singular}Policy", PolicyArn=work.physical_id, **{f"{singular}Name": name})
        for name in [each for each in has if each not in had]:
            await work.call("iam", f"Attach{singular}Policy", PolicyArn=work.physical_id, **{f"{singular}Name": name})


async def delete_managed_policy(work: Work) -> None:
    for kind, singular in _ATTACHED_TO.items():
        for name in work.get(kind, []):
            await work.call("iam", f"Detach{singular}Policy", PolicyArn=work.physical_id, **{f"{singular}Name": name})
    versions = await work.call("iam", "ListPolicyVersions", PolicyArn=work.physical_id)
    for each in versions["Versions"]:
        if not each["IsDefaultVersion"]:
            await work.call("iam", "DeletePolicyVersion", PolicyArn=work.physical_id, VersionId=each["VersionId"])
    await work.call("iam", "DeletePolicy", PolicyArn=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::IAM::Role",
        properties=words(
            "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary "
            "Policies RoleName Tags"
        ),
        required=words("AssumeRolePolicyDocument"),
        replacing=words("Path RoleName"),
        attributes=words("Arn RoleId"),
        named="RoleName",
        create=create_role,
        update=update_role,
        delete=delete_role,
        retag=tagging("iam", "TagRole", "UntagRole", "RoleName", by=""),
    ),
    ResourceType(
        "AWS::IAM::Policy",
        properties=words("Groups PolicyDocument PolicyName Roles Users"),
        required=words("PolicyDocument PolicyName"),
        attributes=words("Id"),
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
    ResourceType(
        "AWS::IAM::ManagedPolicy",
        properties=words("Description Groups ManagedPolicyName Path PolicyDocument Roles Users"),
        required=words("PolicyDocument"),
        replacing=words("ManagedPolicyName Description Path"),
        attributes=words(
            "PolicyArn PolicyId DefaultVersionId AttachmentCount IsAttachable PermissionsBoundaryUsageCount "
            "CreateDate UpdateDate"
        ),
        named="ManagedPolicyName",
        create=create_managed_policy,
        update=update_managed_policy,
        delete=delete_managed_policy,
    ),
)
