"""AWS::SecretsManager::Secret."""

from __future__ import annotations

import json

from .. import shapes
from ..errors import PropertyError
from ..names import physical_name
from ..summary import words
from .base import ResourceType, Work, tagging

_GENERATED = ("GenerateStringKey", "SecretStringTemplate")


async def create_secret(work: Work) -> None:
    given = "Name" in work.properties
    name = work.text("Name") if given else physical_name("", work.logical_id, work.ctx.ids, 64).lstrip("-")
    secret = await _secret(work)
    params = work.params("secretsmanager", "CreateSecret", leave="Name SecretString GenerateSecretString")
    answer = await work.call("secretsmanager", "CreateSecret", Name=name, SecretString=secret, **params)
    work.made(answer["ARN"], Id=answer["ARN"])


async def _secret(work: Work) -> str:
    """The value given, or one generated as the template asks."""
    if "SecretString" in work.properties:
        if "GenerateSecretString" in work.properties:
            raise PropertyError("You can't specify both SecretString and GenerateSecretString")
        return work.text("SecretString")
    wanted = dict(work.get("GenerateSecretString", {}))
    key, template = (wanted.pop(name, None) for name in _GENERATED)
    if (key is None) != (template is None):
        raise PropertyError("GenerateStringKey and SecretStringTemplate must be given together")
    params = shapes.parameters("secretsmanager", "GetRandomPassword", wanted)
    answer = await work.call("secretsmanager", "GetRandomPassword", **params)
    password = str(answer["RandomPassword"])
    if key is None:
        return password
    try:
        return json.dumps({**json.loads(str(template)), str(key): password})
    except (ValueError, TypeError) as error:
        raise PropertyError("SecretStringTemplate must be a JSON object") from error


async def update_secret(work: Work) -> None:
    params = work.params("secretsmanager", "UpdateSecret", only="Description KmsKeyId Type")
    if work.changed("SecretString", "GenerateSecretString"):
        params["SecretString"] = await _secret(work)
    await work.call("secretsmanager", "UpdateSecret", SecretId=work.physical_id, **params)


async def delete_secret(work: Work) -> None:
    await work.call("secretsmanager", "DeleteSecret", SecretId=work.physical_id, ForceDeleteWithoutRecovery=True)


TYPES = (
    ResourceType(
        "AWS::SecretsManager::Secret",
        properties=words("Description GenerateSecretString KmsKeyId Name SecretString Tags Type"),
        replacing=words("Name"),
        not_emulated=words("ReplicaRegions"),
        attributes=words("Id"),
        named="Name",
        create=create_secret,
        update=update_secret,
        delete=delete_secret,
        retag=tagging("secretsmanager", "TagResource", "UntagResource", "SecretId", by=""),
    ),
)
