"""Dynamic references: `{{resolve:ssm:…}}` and `{{resolve:secretsmanager:…}}`, read when a resource is created."""

from __future__ import annotations

import json
import re
from typing import Any

from ...core.controller import Aws
from ...core.errors import AwsError
from .errors import ResourceError

_REFERENCE = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")


async def resolve_dynamic_references(value: Any, aws: Aws) -> Any:
    """The value with every dynamic reference replaced by its value. Raises `ResourceError`."""
    if isinstance(value, dict):
        return {key: await resolve_dynamic_references(item, aws) for key, item in value.items()}
    if isinstance(value, list):
        return [await resolve_dynamic_references(item, aws) for item in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value
    parts, position = [], 0
    for match in _REFERENCE.finditer(value):
        parts.append(value[position : match.start()])
        parts.append(await _read(match[1], match[2], match[0], aws))
        position = match.end()
    return "".join(parts) + value[position:]


async def _read(service: str, reference: str, whole: str, aws: Aws) -> str:
    try:
        if service in ("ssm", "ssm-secure"):
            answer = await aws.call("ssm", "GetParameter", Name=reference, WithDecryption=True)
            return str(answer["Parameter"]["Value"])
        if service == "secretsmanager":
            return await _secret(reference, aws)
    except (AwsError, KeyError, ValueError) as error:
        raise ResourceError(f"Could not resolve the dynamic reference {whole}: {error}") from error
    raise ResourceError(f"Could not resolve the dynamic reference {whole}: {service} is none of ssm, secretsmanager")


async def _secret(reference: str, aws: Aws) -> str:
    """`id:SecretString:json-key:version-stage:version-id`; the id may be an ARN, all else may be left out."""
    arn_parts = 7 if reference.startswith("arn:") else 1
    parts = reference.split(":")
    name = ":".join(parts[:arn_parts])
    _, key, stage, version = [*parts[arn_parts:], "", "", "", ""][:4]
    wanted = {"VersionStage": stage} if stage else {"VersionId": version} if version else {}
    answer = await aws.call("secretsmanager", "GetSecretValue", SecretId=name, **wanted)
    secret = str(answer["SecretString"])
    return str(json.loads(secret)[key]) if key else secret
