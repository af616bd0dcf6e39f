"""emulation/gateway/signature.py: botocore signs, the gateway verifies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from tests.support.wire import sent_by_boto3, to_http_request
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.gateway.signature import signature_of, verify
from webordinary_testkit.emulation.state.wire import HttpRequest

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
SIGNERS = [(SigV4Auth, "sqs"), (S3SigV4Auth, "s3"), (SigV4QueryAuth, "sts"), (S3SigV4QueryAuth, "s3")]


def signed(signer: Any, service: str, path: str, params: dict[str, str], body: bytes = b"") -> HttpRequest:
    url = f"http://127.0.0.1:4566{path}"
    if params:
        url += "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in params.items())
    method = "GET" if issubclass(signer, (SigV4QueryAuth, S3SigV4QueryAuth)) else "POST"
    request = AWSRequest(method=method, url=url, data=body if method == "POST" else b"")
    request.headers["host"] = "127.0.0.1:4566"
    signer(Credentials(KEY, SECRET), service, "us-west-2").add_auth(request)
    return to_http_request(request.prepare())


def check(request: HttpRequest, secret: str = SECRET) -> None:
    signature = signature_of(request)
    assert signature is not None
    verify(request, signature, secret)


@pytest.mark.parametrize(("signer", "service"), SIGNERS)
@given(
    segments=st.lists(TEXT.filter(lambda text: text not in (".", "..")), max_size=3),
    params=st.dictionaries(TEXT.filter(bool), TEXT, max_size=3),
    body=st.binary(max_size=20),
)
def test_what_botocore_signs_is_accepted(
    signer: Any, service: str, segments: list[str], params: dict[str, str], body: bytes
) -> None:
    check(signed(signer, service, "/" + "/".join(quote(each, safe="~") for each in segments), params, body))


@pytest.mark.parametrize(("signer", "service"), SIGNERS)
def test_another_secret_is_refused(signer: Any, service: str) -> None:
    with pytest.raises(AwsError, match="does not match") as error:
        check(signed(signer, service, "/a", {"b": "c"}), "other")
    assert (error.value.code, error.value.status) == ("SignatureDoesNotMatch", 403)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"path": "/other"},
        {"query": "b=d"},
        {"body": b"other"},
        {"headers": {"host": "evil.example"}},
        {"headers": {"x-amz-date": "20200101T000000Z"}},
    ],
)
def test_a_request_changed_on_its_way_is_refused(changed: dict[str, Any]) -> None:
    request = signed(SigV4Auth, "sqs", "/a", {"b": "c"}, b"body")
    changed = {**changed, "headers": {**request.headers, **changed.get("headers", {})}}
    with pytest.raises(AwsError):
        check(replace(request, **changed))


def test_the_hash_of_another_payload_is_refused() -> None:
    request = signed(S3SigV4Auth, "s3", "/bucket/key", {}, b"body")
    with pytest.raises(AwsError) as error:
        check(replace(request, body=b"other"))
    assert error.value.code == "XAmzContentSHA256Mismatch"


@pytest.mark.parametrize("service", ["dynamodb", "ec2", "s3", "efs", "sesv2", "lambda", "cloudformation", "cloudwatch"])
def test_calls_of_boto3_are_accepted(service: str) -> None:
    operations = {
        "dynamodb": "list_tables", "ec2": "describe_vpcs", "s3": "list_buckets", "efs": "describe_file_systems",
        "sesv2": "get_account", "lambda": "list_functions", "cloudformation": "list_stacks",
        "cloudwatch": "list_metrics",
    }  # fmt: skip
    check(sent_by_boto3(service, operations[service]), "secret")


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("AWS4-HMAC-SHA256 Credential=a/b", "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/sqs/aws4_request", "IncompleteSignature"),
        ("AWS4-ECDSA-P256-SHA256 Credential=k/20260101/us-west-2/sqs/aws4_request, SignedHeaders=host, Signature=a",
         "IncompleteSignature"),
        ("AWS4-HMAC-SHA256 Credential=k/20260101/us-west-2/sqs/aws4_request, SignedHeaders=date, Signature=a",
         "IncompleteSignature"),
    ],
)  # fmt: skip
def test_a_malformed_signature_is_refused(authorization: str, code: str) -> None:
    headers = {"authorization": authorization, "host": "h", "x-amz-date": "20260101T000000Z"}
    with pytest.raises(AwsError) as error:
        check(HttpRequest("POST", "/", "", headers))
    assert error.value.code == code


def test_an_unsigned_request_has_no_signature() -> None:
    assert signature_of(HttpRequest("GET", "/bucket/key", "", {"host": "h"})) is None
