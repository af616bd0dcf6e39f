"""AWS::SSM::Parameter."""

from __future__ import annotations

from ..errors import PropertyError
from .base import Job, ResourceType, deleting, retagging


async def create_parameter(job: Job) -> None:
    if job.text("Type") not in ("String", "StringList"):
        raise PropertyError(f"Type must be String or StringList: CloudFormation makes no {job.text('Type')} parameter")
    name = job.text("Name") if "Name" in job.properties else f"CFN-{job.logical_id}-{job.ctx.ids.alnum(12)}"
    await job.send("ssm", "PutParameter", omit="Name", Name=name)
    job.created(name, Arn=job.arn("ssm", f"parameter/{name.lstrip('/')}"))
    job.attributes |= {"Type": job.text("Type"), "Value": job.text("Value")}


async def update_parameter(job: Job) -> None:
    params = job.params("ssm", "PutParameter", omit="Name")
    params.pop("Tags", None)  # Overwrite and Tags do not go together
    await job.call("ssm", "PutParameter", Name=job.physical_id, Overwrite=True, **params)
    job.attributes |= {"Type": job.text("Type"), "Value": job.text("Value")}


TYPES = (
    ResourceType(
        "AWS::SSM::Parameter",
        properties="AllowedPattern DataType Description Name Policies Tags Tier Type Value",
        required="Type Value",
        create_only="Name",
        attributes="Arn Type Value",
        name_property="Name",
        create=create_parameter,
        update=update_parameter,
        delete=deleting("ssm", "DeleteParameter", "Name"),
        retag=retagging("ssm", by=""),
    ),
)
