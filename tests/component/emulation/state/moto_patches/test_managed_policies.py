"""AWS's own policies are there for whoever names them."""

from __future__ import annotations

import json

import pytest

from tests.support.world import World
from webordinary_testkit.emulation.core.errors import AwsError

ARN = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


async def test_a_role_attaches_an_aws_policy(bare_world: World) -> None:
    await bare_world.aws.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument="{}")
    await bare_world.aws.call("iam", "AttachRolePolicy", RoleName="r", PolicyArn=ARN)

    attached = await bare_world.aws.call("iam", "ListAttachedRolePolicies", RoleName="r")
    assert attached["AttachedPolicies"] == [{"PolicyName": "AmazonECSTaskExecutionRolePolicy", "PolicyArn": ARN}]


async def test_its_document_can_be_read(bare_world: World) -> None:
    policy = await bare_world.aws.call("iam", "GetPolicy", PolicyArn=ARN)
    version = await bare_world.aws.call(
        "iam", "GetPolicyVersion", PolicyArn=ARN, VersionId=policy["Policy"]["DefaultVersionId"]
    )

    assert "ecr:GetAuthorizationToken" in json.dumps(version["PolicyVersion"]["Document"])


async def test_a_policy_aws_does_not_have_is_refused(bare_world: World) -> None:
    await bare_world.aws.call("iam", "CreateRole", RoleName="r", AssumeRolePolicyDocument="{}")

    with pytest.raises(AwsError) as refused:
        await bare_world.aws.call(
            "iam", "AttachRolePolicy", RoleName="r", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy"
        )

    assert refused.value.code == "NoSuchEntity"


async def test_listing_shows_them_all(bare_world: World) -> None:
    await bare_world.aws.call("iam", "GetPolicy", PolicyArn=ARN)
    listed = await bare_world.aws.call("iam", "ListPolicies", Scope="AWS", MaxItems=1000)

    assert len({policy["Arn"] for policy in listed["Policies"]}) == 1000
