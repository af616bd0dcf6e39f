"""AWS::SSM::Parameter."""

from __future__ import annotations

from ..errors import PropertyError
from ..names import physical_name
from ..summary import words
from .base import ResourceType, Work, tagging


async def create_parameter(work: Work) -> None:
    if work.text("Type") not in ("String", "StringList"):
        raise PropertyError(f"Type must be String or StringList: CloudFormation makes no {work.text('Type')} parameter")
    if "Name" in work.properties:
        name = work.text("Name")
    else:
        name = f"CFN-{physical_name(work.stack_name, work.logical_id, work.ctx.ids, 200)}"
    await work.call("ssm", "PutParameter", Name=name, **work.params("ssm", "PutParameter", leave="Name"))
    work.made(name, Arn=f"arn:aws:ssm:{work.ctx.region}:{work.ctx.account}:parameter/{name.lstrip('/')}")
    work.attributes |= {"Type": work.text("Type"), "Value": work.text("Value")}


async def update_parameter(work: Work) -> None:
    params = work.params("ssm", "PutParameter", leave="Name")
    params.pop("Tags", None)  # Overwrite and Tags do not go together
    await work.call("ssm", "PutParameter", Name=work.physical_id, Overwrite=True, **params)
    work.attributes |= {"Type": work.text("Type"), "Value": work.text("Value")}


async def delete_parameter(work: Work) -> None:
    await work.call("ssm", "DeleteParameter", Name=work.physical_id)


TYPES = (
    ResourceType(
        "AWS::SSM::Parameter",
        properties=words("AllowedPattern DataType Description Name Policies Tags Tier Type Value"),
        required=words("Type Value"),
        replacing=words("Name"),
        attributes=words("Arn Type Value"),
        named="Name",
        create=create_parameter,
        update=update_parameter,
        delete=delete_parameter,
        retag=tagging(
            "ssm", "AddTagsToResource", "RemoveTagsFromResource", "ResourceId", by="", ResourceType="Parameter"
        ),
    ),
)
