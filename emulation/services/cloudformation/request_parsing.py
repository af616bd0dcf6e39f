"""Parses requests into desired states: template, parameters, capabilities, tags."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from ...core.controller import Call, Context
from ...core.errors import AwsError, not_emulated
from . import parameters
from .checks import capabilities, check
from .desired_state import DesiredState, StackIdentity, build_desired_state
from .errors import ValidationError
from .references import arguments
from .stacks import Stack, Stacks
from .template import Template, load

BODY_LIMIT = 51_200
"""Bytes of a TemplateBody (AWS CloudFormation quotas)."""
URL_LIMIT = 1_048_576
"""Bytes of a template in S3 (AWS CloudFormation quotas)."""

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
_NOT_EMULATED = (
    "NotificationARNs",
    "ResourceTypes",
    "RetainExceptOnCreate",
    "DeploymentMode",
    "StackPolicyBody",
    "StackPolicyURL",
    "StackPolicyDuringUpdateBody",
    "StackPolicyDuringUpdateURL",
    "ResourcesToImport",
    "ImportExistingResources",
)


@lru_cache(maxsize=16)
def checked(body: str) -> Template:
    """The template of this text. Raises `ValidationError` if it is invalid."""
    template = load(body)
    check(template)
    return template


async def template_of(ctx: Context, params: Mapping[str, Any], previous: Stack | None = None) -> Template:
    """The template given in the request, in S3, or the previous one."""
    if params.get("UsePreviousTemplate"):
        if previous is None:
            raise ValidationError("Cannot use the previous template: the stack has none.")
        return previous.desired.template
    if ("TemplateBody" in params) == ("TemplateURL" in params):
        raise ValidationError("Either Template URL or Template Body must be specified.")
    if "TemplateURL" in params:
        return checked(await _fetched(ctx, str(params["TemplateURL"])))
    body = str(params["TemplateBody"])
    if len(body.encode()) > BODY_LIMIT:
        raise ValidationError(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {BODY_LIMIT}. Put the template into S3 and give its TemplateURL."
        )
    return checked(body)


async def _fetched(ctx: Context, url: str) -> str:
    """The text of a template in S3, by a URL in path style or with the bucket in the host."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
    in_host = re.fullmatch(r"(.+)\.s3[.-].*", host)
    bucket, key = (in_host[1], path) if in_host else (path.partition("/")[0], path.partition("/")[2])
    if parts.scheme not in ("http", "https") or not bucket or not key:
        raise ValidationError("TemplateURL must be a supported URL: that of an object in S3.")
    version = parse_qs(parts.query).get("versionId")
    try:
        answer = await ctx.aws.call(
            "s3", "GetObject", Bucket=bucket, Key=key, **({"VersionId": version[0]} if version else {})
        )
    except AwsError as error:
        raise ValidationError(f"S3 error: {error.message} ({error.code}: bucket {bucket}, key {key})") from error
    content = answer["Body"]
    content = content if isinstance(content, bytes | str) else content.read()
    if len(content) > URL_LIMIT:
        raise ValidationError(f"Template file referenced by {url} is larger than {URL_LIMIT} bytes.")
    return content.decode() if isinstance(content, bytes) else content


async def requested_state(
    ctx: Context, stacks: Stacks, params: Mapping[str, Any], identity: StackIdentity, previous: Stack | None = None
) -> DesiredState:
    """The desired state that a request describes. Raises `ValidationError` or InsufficientCapabilitiesException."""
    template = await template_of(ctx, params, previous)
    before = previous.desired if previous else None
    values = parameters.resolve(
        template.parameters, params.get("Parameters", ()), before.parameters if before else None
    )
    _check_capabilities(template, params.get("Capabilities", ()))
    if "Tags" in params or before is None:
        tags = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
    else:
        tags = dict(before.tags)
    if reserved := [key for key in tags if key.startswith("aws:")]:
        raise ValidationError(f"aws: prefixed tag key names are not allowed for external use: {', '.join(reserved)}")
    exports = {name: output.value for name, (owner, output) in stacks.exports().items() if owner is not previous}
    return build_desired_state(template, values, tags, identity, zones=await _zones(ctx, template), exports=exports)


async def _zones(ctx: Context, template: Template) -> list[str]:
    used = [template.conditions, *(each.properties for each in template.resources.values())]
    used += [each.value for each in template.outputs.values()]
    if not any(True for _ in arguments(used, "Fn::GetAZs")):
        return []
    answer = await ctx.aws.call("ec2", "DescribeAvailabilityZones")
    return sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])


def _check_capabilities(template: Template, given: Iterable[str]) -> None:
    needed, _ = capabilities(template)
    if needed is not None and not {needed, "CAPABILITY_NAMED_IAM"} & set(given):
        raise AwsError("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def check_name(name: str) -> None:
    """Raises `ValidationError` for an invalid stack name."""
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*, and be of at most 128 characters"
        )


def check_emulated(call: Call) -> None:
    """Raises `AwsError` for a parameter that is not emulated."""
    used = [name for name in _NOT_EMULATED if call.params.get(name)]
    if call.params.get("RollbackConfiguration", {}).get("RollbackTriggers"):
        used.append("RollbackConfiguration.RollbackTriggers")
    if call.params.get("DeploymentConfig", {}).get("Mode", "STANDARD") != "STANDARD":
        used.append("DeploymentConfig other than STANDARD")
    if used:
        raise not_emulated("cloudformation", f"{call.operation} with {', '.join(used)}")
