"""Who somebody is, and sessions that end, as boto3 meets them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.ecs import eventually
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Caller, Credentials
from webordinary_testkit.emulation.services.sts import Sts
from webordinary_testkit.emulation.services.sts.trust import allows

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLE = "arn:aws:iam::123456789012:role/ci"


def trust(kind: str, who: str, action: str = "sts:AssumeRole") -> str:
    statement = {"Effect": "Allow", "Principal": {kind: who}, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def w() -> AsyncIterator[World]:
    async with world(Sts, scale=3600.0) as made:
        root = trust("AWS", "arn:aws:iam::123456789012:root")
        await made.aws.call("iam", "CreateRole", RoleName="ci", AssumeRolePolicyDocument=root)
        ecs = trust("Service", "ecs-tasks.amazonaws.com")
        await made.aws.call("iam", "CreateRole", RoleName="task", AssumeRolePolicyDocument=ecs)
        yield made


async def ask(client: Any, operation: str, **params: Any) -> dict[str, Any]:
    return dict(await asyncio.to_thread(getattr(client, operation), **params))


async def code(client: Any, operation: str, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        await ask(client, operation, **params)
    return str(refused.value.response["Error"]["Code"])


async def session(w: World, **params: Any) -> Credentials:
    answer = await ask(w.client("sts"), "assume_role", RoleArn=ROLE, RoleSessionName="run-1", **params)
    keys = answer["Credentials"]
    return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])


async def test_a_user_is_told_the_account(w: World) -> None:
    answer = await ask(w.client("sts"), "get_caller_identity")

    assert answer["Account"] == "123456789012"
    assert answer["Arn"] == "arn:aws:iam::123456789012:user/tester"


async def test_an_assumed_role_is_its_session(w: World) -> None:
    client = w.client("sts", credentials=await session(w, DurationSeconds=3600))
    role = (await w.aws.call("iam", "GetRole", RoleName="ci"))["Role"]
    answer = await ask(client, "get_caller_identity")

    assert answer["Arn"] == "arn:aws:sts::123456789012:assumed-role/ci/run-1"
    assert answer["UserId"] == f"{role['RoleId']}:run-1"


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("sqs", "list_queues", "ExpiredTokenException"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("s3", "list_buckets", "ExpiredToken"),
        ("ec2", "describe_vpcs", "RequestExpired"),
    ],
)
async def test_a_session_ends_after_its_time(w: World, service: str, operation: str, expected: str) -> None:
    client = w.client(service, credentials=await session(w, DurationSeconds=900))  # a quarter of a second here

    async def refusal() -> str:
        try:
            await ask(client, operation)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    assert await eventually(refusal) == expected


async def test_only_what_the_trust_policy_names_is_let_in(w: World) -> None:
    sts = w.client("sts")
    other = "arn:aws:iam::123456789012:role/task"
    missing = "arn:aws:iam::123456789012:role/none"

    assert await code(sts, "assume_role", RoleArn=other, RoleSessionName="run") == "AccessDenied"
    assert await code(sts, "assume_role", RoleArn=missing, RoleSessionName="run") == "AccessDenied"
    nonsense = "nothing-valid-in-here"
    assert await code(sts, "assume_role", RoleArn=nonsense, RoleSessionName="run") == "ValidationError"


async def test_no_longer_than_the_role_allows(w: World) -> None:
    long = {"RoleArn": ROLE, "RoleSessionName": "run", "DurationSeconds": 7200}

    assert await code(w.client("sts"), "assume_role", **long) == "ValidationError"


async def test_a_session_token_is_the_users_own_and_no_session_gets_one(w: World) -> None:
    keys = (await ask(w.client("sts"), "get_session_token"))["Credentials"]
    own = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    assert (await ask(w.client("sts", credentials=own), "get_caller_identity"))["Arn"].endswith("user/tester")
    assumed = w.client("sts", credentials=await session(w, DurationSeconds=3600))
    assert await code(assumed, "get_session_token") == "AccessDenied"


async def test_the_keys_of_a_task_do_not_expire_by_themselves(w: World) -> None:
    keys = w.cloud.keys.issue(Caller("task", "arn:aws:ecs:us-west-2:123456789012:task/c/1"))
    await asyncio.sleep(0.3)

    assert w.cloud.keys.caller(keys.access_key_id).kind == "task"


async def test_trust_is_read_statement_by_statement() -> None:
    oidc = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    document = trust("Federated", oidc, "sts:AssumeRoleWithWebIdentity")

    assert allows(document, "sts:AssumeRoleWithWebIdentity", "Federated", [oidc])
    assert not allows(document, "sts:AssumeRole", "Federated", [oidc])
    assert not allows(document, "sts:AssumeRoleWithWebIdentity", "AWS", [oidc])
