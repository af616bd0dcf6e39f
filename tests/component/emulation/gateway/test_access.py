"""Who may use the gateway: signatures of known keys, never a web page, the admin API with its token only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from botocore.exceptions import ClientError
from yarl import URL

from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import Caller, Credentials
from webordinary_testkit.emulation.services.sts import Sts

FORM = "Action=ListTopics&Version=2010-03-31"
FORM_URL = "/?X-Amz-Credential=a/20260101/us-west-2/sns/aws4_request"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def guarded() -> AsyncIterator[World]:
    """A cloud that verifies signatures."""
    async with world(Sts, insecure_keys="") as made:
        yield made


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def code_of(w: World, service: str, operation: str, credentials: Credentials, **params: Any) -> str:
    """The error code of a call made with these keys; "" when it succeeds."""
    client = w.client(service, credentials=credentials)
    try:
        await asyncio.to_thread(getattr(client, operation), **params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


CALLS = [
    ("dynamodb", "list_tables", "UnrecognizedClientException", "InvalidSignatureException"),
    ("sns", "list_topics", "InvalidClientTokenId", "SignatureDoesNotMatch"),
    ("s3", "list_buckets", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    ("ec2", "describe_vpcs", "AuthFailure", "SignatureDoesNotMatch"),
]


@pytest.mark.parametrize(("service", "operation", "unknown", "mismatch"), CALLS)
async def test_only_the_secret_of_a_known_key_signs(
    guarded: World, service: str, operation: str, unknown: str, mismatch: str
) -> None:
    root = guarded.cloud.keys.root
    assert await code_of(guarded, service, operation, root) == ""
    assert await code_of(guarded, service, operation, Credentials("test", "test", "")) == unknown
    assert await code_of(guarded, service, operation, Credentials(root.access_key_id, "test", "")) == mismatch


async def test_temporary_keys_need_their_token(guarded: World) -> None:
    keys = guarded.ctx.callers.issue(Caller("task", "arn:aws:ecs:us-west-2:123456789012:task/c/1"))
    assert await code_of(guarded, "sqs", "list_queues", keys) == ""
    without = Credentials(keys.access_key_id, keys.secret_access_key, "")
    assert await code_of(guarded, "sqs", "list_queues", without) == "UnrecognizedClientException"


async def test_an_access_key_of_a_user_is_known_until_it_is_deleted(guarded: World) -> None:
    iam = guarded.client("iam")
    await asyncio.to_thread(iam.create_user, UserName="ann")
    made = (await asyncio.to_thread(iam.create_access_key, UserName="ann"))["AccessKey"]
    keys = Credentials(made["AccessKeyId"], made["SecretAccessKey"], "")
    assert await code_of(guarded, "sqs", "list_queues", keys) == ""
    await asyncio.to_thread(iam.delete_access_key, UserName="ann", AccessKeyId=keys.access_key_id)
    assert await code_of(guarded, "sqs", "list_queues", keys) != ""


@pytest.mark.parametrize("version", ["s3", "s3v4"])
async def test_a_presigned_url_needs_no_key_of_its_reader(guarded: World, version: str) -> None:
    s3, bucket = guarded.client("s3"), f"bucket-{version}"
    location = {"LocationConstraint": "us-west-2"}
    await asyncio.to_thread(s3.create_bucket, Bucket=bucket, CreateBucketConfiguration=location)
    await asyncio.to_thread(s3.put_object, Bucket=bucket, Key="a b/ü", Body=b"text")
    signer = guarded.client("s3", signature_version=version)
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "a b/ü"})
    async with aiohttp.ClientSession() as session:
        async with session.get(URL(url, encoded=True)) as answer:
            assert (answer.status, await answer.read()) == (200, b"text")
        async with session.get(URL(url.replace("a%20b", "other"), encoded=True)) as answer:
            assert answer.status == 403
        async with session.get(f"{guarded.url}/{bucket}/a") as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {},
    ],
    ids=str,
)
async def test_a_form_of_a_web_page_does_nothing(guarded: World, headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session:
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        async with session.post(guarded.url + FORM_URL, data=FORM, headers=sent) as answer:
            assert answer.status == 403, await answer.text()


@pytest.mark.parametrize("path", ["/_emulation/status", "/_emulation/calls", "/_emulation/nothing"])
async def test_the_admin_api_needs_its_token(guarded: World, path: str) -> None:
    async with aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Bearer test"}, {"Authorization": "Bearer"}):
            async with session.get(guarded.url + path, headers=headers) as answer:
                assert answer.status == 403
        async with session.get(guarded.url + path, headers=guarded.admin_headers) as answer:
            assert answer.status in (200, 404)
        rebound = {**guarded.admin_headers, "Host": "evil.example"}
        async with session.get(guarded.url + path, headers=rebound) as answer:
            assert answer.status == 403


async def test_the_secret_is_in_no_answer_of_the_admin_api(guarded: World) -> None:
    secret = guarded.cloud.keys.root.secret_access_key
    async with aiohttp.ClientSession(headers=guarded.admin_headers) as session:
        for name in ("status", "calls", "health"):
            async with session.get(f"{guarded.url}/_emulation/{name}") as answer:
                assert secret not in await answer.text()
