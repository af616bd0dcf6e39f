"""Fetches the `secrets` of a container definition, as the Fargate agent does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ...core.controller import Aws
from ...core.errors import AwsError

_UNABLE = "unable to pull secrets or registry auth: execution resource retrieval failed: "
_ONCE = "service call has been retried 1 time(s): "


class SecretsMissing(Exception):
    """A secret could not be fetched; the text is the agent's."""


@dataclass(frozen=True)
class SecretRef:
    """`valueFrom` of Secrets Manager: arn:…:secret:name[:json key[:version stage[:version id]]]."""

    arn: str
    json_key: str = ""
    stage: str = ""
    version: str = ""

    @classmethod
    def parse(cls, value_from: str) -> SecretRef:
        fields = value_from.split(":")
        return cls(":".join(fields[:7]), *fields[7:10])


async def fetch_secrets(aws: Aws, wanted: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Environment name → value. `valueFrom` names an SSM parameter, or a secret by its ARN. Raises `SecretsMissing`."""
    values = {}
    parameters: dict[str, list[str]] = {}
    for secret in wanted:
        name, value_from = secret["name"], secret["valueFrom"]
        if ":secretsmanager:" in value_from:
            values[name] = await _secret(aws, SecretRef.parse(value_from))
        else:
            parameters.setdefault(_parameter_name(value_from), []).append(name)
    if parameters:
        for parameter, value in (await _parameters(aws, list(parameters))).items():
            values |= dict.fromkeys(parameters[parameter], value)
    return values


def _parameter_name(value_from: str) -> str:
    """The ARN's `parameter/a/b` means /a/b, but `parameter/a` means a."""
    if not value_from.startswith("arn:"):
        return value_from
    name = value_from.rpartition(":parameter/")[2]
    return f"/{name}" if "/" in name else name


async def _parameters(aws: Aws, names: list[str]) -> Mapping[str, str]:
    try:
        answer = await aws.call("ssm", "GetParameters", Names=names, WithDecryption=True)
    except AwsError as error:
        raise SecretsMissing(f"{_UNABLE}unable to retrieve secrets from ssm: {_ONCE}{error}") from error
    if missing := answer.get("InvalidParameters"):
        raise SecretsMissing(
            f"{_UNABLE}unable to retrieve secrets from ssm: {_ONCE}invalid ssm parameters: {', '.join(missing)}"
        )
    return {each["Name"]: each["Value"] for each in answer["Parameters"]}


async def _secret(aws: Aws, ref: SecretRef) -> str:
    params = {"SecretId": ref.arn}
    if ref.stage:
        params["VersionStage"] = ref.stage
    if ref.version:
        params["VersionId"] = ref.version
    unable = f"{_UNABLE}unable to retrieve secret from asm: "
    try:
        answer = await aws.call("secretsmanager", "GetSecretValue", **params)
    except AwsError as error:
        raise SecretsMissing(
            f"{unable}{_ONCE}failed to fetch secret {ref.arn} from secrets manager: {error}"
        ) from error
    text = str(answer["SecretString"])
    if not ref.json_key:
        return text
    try:
        value = json.loads(text)[ref.json_key]
    except (ValueError, KeyError, TypeError) as error:
        raise SecretsMissing(
            f"{unable}retrieved secret from Secrets Manager did not contain json key {ref.json_key}"
        ) from error
    return value if isinstance(value, str) else json.dumps(value)
