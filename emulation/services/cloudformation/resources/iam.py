"""AWS::IAM: roles and policies. They are stored, not enforced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import PropertyError
from ..intrinsics import text
from .base import Job, ResourceType, retagging
from .documents import document

_ATTACHED_TO = {"Roles": "Role", "Users": "User", "Groups": "Group"}


async def create_role(job: Job) -> None:
    params = job.params("iam", "CreateRole", omit="AssumeRolePolicyDocument ManagedPolicyArns Policies RoleName")
    trust = document(job.get("AssumeRolePolicyDocument"))
    _inline(job.properties)  # refuses malformed policies before the role exists
    answer = await job.call("iam", "CreateRole", RoleName=job.name(64), AssumeRolePolicyDocument=trust, **params)
    role = answer["Role"]
    job.created(role["RoleName"], Arn=role["Arn"], RoleId=role["RoleId"])
    await _update_role_policies(job)


async def update_role(job: Job) -> None:
    role = job.physical_id
    if job.changed("AssumeRolePolicyDocument"):
        trust = document(job.get("AssumeRolePolicyDocument"))
        await job.call("iam", "UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=trust)
    if job.changed("Description", "MaxSessionDuration"):
        await job.send("iam", "UpdateRole", only="Description MaxSessionDuration", RoleName=role)
    await job.put_or_delete(
        "PermissionsBoundary",
        "iam",
        "PutRolePermissionsBoundary",
        "DeleteRolePermissionsBoundary",
        lambda boundary: {"PermissionsBoundary": text(boundary)},
        RoleName=role,
    )
    await _update_role_policies(job)


async def _update_role_policies(job: Job) -> None:
    role = job.physical_id
    attached, wanted = (set(map(text, each.get("ManagedPolicyArns", []))) for each in (job.before, job.properties))
    for arn in sorted(attached - wanted):
        await job.call("iam", "DetachRolePolicy", RoleName=role, PolicyArn=arn)
    for arn in sorted(wanted - attached):
        await job.call("iam", "AttachRolePolicy", RoleName=role, PolicyArn=arn)
    had, has = _inline(job.before), _inline(job.properties)
    for name in sorted(set(had) - set(has)):
        await job.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)
    for name, body in has.items():
        if had.get(name) != body:
            await job.call("iam", "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=body)


async def delete_role(job: Job) -> None:
    role = job.physical_id
    attached = await job.call("iam", "ListAttachedRolePolicies", RoleName=role)
    for policy in attached["AttachedPolicies"]:
        await job.call("iam", "DetachRolePolicy", RoleName=role, PolicyArn=policy["PolicyArn"])
    inline = await job.call("iam", "ListRolePolicies", RoleName=role)
    for name in inline["PolicyNames"]:
        await job.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)
    await job.call("iam", "DeleteRole", RoleName=role)


def _inline(properties: Mapping[str, Any]) -> dict[str, str]:
    result = {}
    for policy in properties.get("Policies", []):
        if set(policy) != {"PolicyName", "PolicyDocument"}:
            raise PropertyError(f"Each of Policies must have PolicyName and PolicyDocument, got {sorted(policy)}")
        result[text(policy["PolicyName"])] = document(policy["PolicyDocument"])
    return result


def _attached(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(Role, User or Group; its name) for each that the policy is attached to."""
    for kind, singular in _ATTACHED_TO.items():
        for name in properties.get(kind, []):
            yield singular, name


async def create_policy(job: Job) -> None:
    if not any(job.get(each) for each in _ATTACHED_TO):
        raise PropertyError("At least one of [Groups,Roles,Users] must be non-empty.")
    policy = job.generated_name(64)
    job.created(policy, Id=policy)
    await _put_everywhere(job)


async def update_policy(job: Job) -> None:
    moved = job.changed("PolicyName")
    current = list(_attached(job.properties))
    for singular, name in _attached(job.before):
        if moved or (singular, name) not in current:
            old = {"PolicyName": text(job.before["PolicyName"]), f"{singular}Name": name}
            await job.call("iam", f"Delete{singular}Policy", **old)
    await _put_everywhere(job)


async def _put_everywhere(job: Job) -> None:
    policy = {"PolicyName": job.text("PolicyName"), "PolicyDocument": document(job.get("PolicyDocument"))}
    for singular, name in _attached(job.properties):
        await job.call("iam", f"Put{singular}Policy", **policy, **{f"{singular}Name": name})


async def delete_policy(job: Job) -> None:
    policy = job.text("PolicyName")
    for singular, name in _attached(job.properties):
        await job.call("iam", f"Delete{singular}Policy", PolicyName=policy, **{f"{singular}Name": name})


async def create_managed_policy(job: Job) -> None:
    params = job.params("iam", "CreatePolicy", omit="PolicyDocument ManagedPolicyName Groups Roles Users")
    answer = await job.call(
        "iam", "CreatePolicy", PolicyName=job.name(128), PolicyDocument=document(job.get("PolicyDocument")), **params
    )
    policy = answer["Policy"]
    job.created(
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
    await _attach(job)


async def update_managed_policy(job: Job) -> None:
    if job.changed("PolicyDocument"):
        versions = await job.call("iam", "ListPolicyVersions", PolicyArn=job.physical_id)
        spare = [each["VersionId"] for each in versions["Versions"] if not each["IsDefaultVersion"]]
        if len(spare) >= 4:  # IAM keeps five versions of a policy
            await job.call("iam", "DeletePolicyVersion", PolicyArn=job.physical_id, VersionId=spare[-1])
        body = document(job.get("PolicyDocument"))
        await job.call("iam", "CreatePolicyVersion", PolicyArn=job.physical_id, PolicyDocument=body, SetAsDefault=True)
    await _attach(job)


async def _attach(job: Job) -> None:
    before, after = list(_attached(job.before)), list(_attached(job.properties))
    for verb, changed in (
        ("Detach", [each for each in before if each not in after]),
        ("Attach", [each for each in after if each not in before]),
    ):
        for singular, name in changed:
            await job.call("iam", f"{verb}{singular}Policy", PolicyArn=job.physical_id, **{f"{singular}Name": name})


async def delete_managed_policy(job: Job) -> None:
    for singular, name in _attached(job.properties):
        await job.call("iam", f"Detach{singular}Policy", PolicyArn=job.physical_id, **{f"{singular}Name": name})
    versions = await job.call("iam", "ListPolicyVersions", PolicyArn=job.physical_id)
    for each in versions["Versions"]:
        if not each["IsDefaultVersion"]:
            await job.call("iam", "DeletePolicyVersion", PolicyArn=job.physical_id, VersionId=each["VersionId"])
    await job.call("iam", "DeletePolicy", PolicyArn=job.physical_id)


TYPES = (
    ResourceType(
        "AWS::IAM::Role",
        properties=(
            "AssumeRolePolicyDocument Description ManagedPolicyArns MaxSessionDuration Path PermissionsBoundary "
            "Policies RoleName Tags"
        ),
        required="AssumeRolePolicyDocument",
        create_only="Path RoleName",
        attributes="Arn RoleId",
        name_property="RoleName",
        create=create_role,
        update=update_role,
        delete=delete_role,
        retag=retagging("iam", by=""),
    ),
    ResourceType(
        "AWS::IAM::Policy",
        properties="Groups PolicyDocument PolicyName Roles Users",
        required="PolicyDocument PolicyName",
        attributes="Id",
        create=create_policy,
        update=update_policy,
        delete=delete_policy,
    ),
    ResourceType(
        "AWS::IAM::ManagedPolicy",
        properties="Description Groups ManagedPolicyName Path PolicyDocument Roles Users",
        required="PolicyDocument",
        create_only="ManagedPolicyName Description Path",
        attributes=(
            "PolicyArn PolicyId DefaultVersionId AttachmentCount IsAttachable PermissionsBoundaryUsageCount "
            "CreateDate UpdateDate"
        ),
        name_property="ManagedPolicyName",
        create=create_managed_policy,
        update=update_managed_policy,
        delete=delete_managed_policy,
    ),
)
