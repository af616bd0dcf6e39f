"""AWS::SecretsManager::Secret."""

from __future__ import annotations

import json

from .. import property_mapping
from ..errors import PropertyError
from ..physical_names import physical_name
from .base import Job, ResourceType, deleting, retagging

_GENERATED = ("GenerateStringKey", "SecretStringTemplate")


async def create_secret(job: Job) -> None:
    given = "Name" in job.properties
    name = job.text("Name") if given else physical_name("", job.logical_id, job.ctx.ids, 64).lstrip("-")
    secret = await _secret(job)
    omit = "Name SecretString GenerateSecretString"
    answer = await job.send("secretsmanager", "CreateSecret", omit=omit, Name=name, SecretString=secret)
    job.created(answer["ARN"], Id=answer["ARN"])


async def _secret(job: Job) -> str:
    """The value given, or one generated as the template asks."""
    if "SecretString" in job.properties:
        if "GenerateSecretString" in job.properties:
            raise PropertyError("You can't specify both SecretString and GenerateSecretString")
        return job.text("SecretString")
    wanted = dict(job.get("GenerateSecretString", {}))
    key, template = (wanted.pop(name, None) for name in _GENERATED)
    if (key is None) != (template is None):
        raise PropertyError("GenerateStringKey and SecretStringTemplate must be given together")
    params = property_mapping.to_parameters("secretsmanager", "GetRandomPassword", wanted)
    answer = await job.call("secretsmanager", "GetRandomPassword", **params)
    password = str(answer["RandomPassword"])
    if key is None:
        return password
    try:
        return json.dumps({**json.loads(str(template)), str(key): password})
    except (ValueError, TypeError) as error:
        raise PropertyError("SecretStringTemplate must be a JSON object") from error


async def update_secret(job: Job) -> None:
    params = job.params("secretsmanager", "UpdateSecret", only="Description KmsKeyId Type")
    if job.changed("SecretString", "GenerateSecretString"):
        params["SecretString"] = await _secret(job)
    await job.call("secretsmanager", "UpdateSecret", SecretId=job.physical_id, **params)


TYPES = (
    ResourceType(
        "AWS::SecretsManager::Secret",
        properties="Description GenerateSecretString KmsKeyId Name SecretString Tags Type",
        create_only="Name",
        not_emulated="ReplicaRegions",
        attributes="Id",
        name_property="Name",
        create=create_secret,
        update=update_secret,
        delete=deleting("secretsmanager", "DeleteSecret", "SecretId", ForceDeleteWithoutRecovery=True),
        retag=retagging("secretsmanager", by=""),
    ),
)
