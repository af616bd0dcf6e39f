"""Secrets by every name AWS allows."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ecs.secrets import SecretRef, SecretsMissing, fetch_secrets

SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:db-AbCdEf"


class Vault:
    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        if service == "ssm":
            known = {"/a/b": "deep", "flat": "shallow"}
            names = params["Names"]
            return {
                "Parameters": [{"Name": name, "Value": known[name]} for name in names if name in known],
                "InvalidParameters": [name for name in names if name not in known],
            }
        if params["SecretId"] != SECRET:
            raise AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return {"SecretString": f'{{"user": "u", "port": 5432, "stage": "{params.get("VersionStage", "")}"}}'}

    async def store(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        raise AssertionError


async def one(value_from: str) -> str:
    return (await fetch_secrets(Vault(), [{"name": "X", "valueFrom": value_from}]))["X"]


@pytest.mark.parametrize(
    ("value_from", "value"),
    [
        ("/a/b", "deep"),
        ("flat", "shallow"),
        ("arn:aws:ssm:us-west-2:123456789012:parameter/a/b", "deep"),
        ("arn:aws:ssm:us-west-2:123456789012:parameter/flat", "shallow"),
        (f"{SECRET}:user::", "u"),
        (f"{SECRET}:port::", "5432"),
        (f"{SECRET}:stage:AWSPREVIOUS:", "AWSPREVIOUS"),
        (SECRET, '{"user": "u", "port": 5432, "stage": ""}'),
    ],
)
async def test_where_a_value_comes_from(value_from: str, value: str) -> None:
    assert await one(value_from) == value


@pytest.mark.parametrize(
    ("value_from", "message"),
    [
        ("/not/there", "unable to retrieve secrets from ssm: .*invalid ssm parameters: /not/there"),
        (f"{SECRET}:password::", "did not contain json key password"),
        (f"{SECRET}x", "unable to retrieve secret from asm: .*ResourceNotFoundException"),
    ],
)
async def test_what_is_missing_is_named(value_from: str, message: str) -> None:
    with pytest.raises(SecretsMissing, match=message):
        await one(value_from)


def test_the_parts_of_a_secrets_reference() -> None:
    assert SecretRef.parse(f"{SECRET}:key:stage:id") == SecretRef(SECRET, "key", "stage", "id")
