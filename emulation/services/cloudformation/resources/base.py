"""Resource types and the jobs that create, update and delete resources.

                         properties, tags         botocore's model
                               |                        |
    engine --> ResourceType.create(job) ---> job.params(...) --> job.call(...) --> the AWS API
       ^                       |
       +---- job.created(id) --+     from here on a failure leads to `delete`

Adding a type: write its three functions, one `ResourceType`, and put it into its module's `TYPES`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....core.controller import Context
from ....core.errors import AwsError
from ...tagging.tag_operations import TAG_OPERATIONS, list_parameter, tag_parameters
from .. import property_mapping
from ..errors import PropertyError, ResourceError
from ..intrinsics import text
from ..physical_names import physical_name


@dataclass
class Job:
    """One resource being created, updated or deleted."""

    ctx: Context
    stack_name: str
    logical_id: str
    type: ResourceType
    properties: Mapping[str, Any]
    """With every intrinsic function evaluated."""
    tags: Mapping[str, str]
    """The template's, the stack's, and CloudFormation's own."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """The properties before an update; empty on creation and deletion."""
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    """The values of Fn::GetAtt."""
    on_created: Callable[[str], None] = lambda physical_id: None

    def created(self, physical_id: str, **attributes: Any) -> None:
        """Record the physical id (the value of Ref) and attributes. Call it as soon as the creating call returns, so
        that a later failure deletes the resource."""
        self.physical_id = physical_id
        self.attributes.update(attributes)
        self.on_created(physical_id)

    def get(self, name: str, default: Any = None) -> Any:
        return self.properties.get(name, default)

    def text(self, name: str) -> str:
        """A property that must be a string. Raises `PropertyError`."""
        value = self.properties[name]
        if isinstance(value, list | dict):
            raise PropertyError(f"Value of property {name} must be of type String")
        return text(value)

    def flag(self, name: str) -> bool:
        return text(self.properties.get(name, False)).lower() == "true"

    def changed(self, *names: str) -> bool:
        """Whether an update changes one of these properties."""
        return any(self.properties.get(name) != self.before.get(name) for name in names)

    def name(self, max_length: int = 255, *, lower: bool = False, given_by: str = "") -> str:
        """The name from the template, or a generated one."""
        given_by = given_by or self.type.name_property
        if given_by in self.properties:
            return self.text(given_by)
        return self.generated_name(max_length, lower=lower)

    def generated_name(self, max_length: int, *, lower: bool = False) -> str:
        return physical_name(self.stack_name, self.logical_id, self.ctx.ids, max_length, lower=lower)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.ctx.region}:{self.ctx.account}:{resource}"

    def params(
        self,
        service: str,
        operation: str,
        *,
        omit: str = "",
        only: str = "",
        renamed: Mapping[str, str] | None = None,
        kind: str | None = None,
    ) -> dict[str, Any]:
        """The properties in the API's spelling, and the tags, as parameters of an operation.

        `omit` names properties that other calls handle; `only`, if given, the ones this call takes. Raises
        `PropertyError` for any other property that the operation has no member for.
        """
        chosen = frozenset(only.split()) or frozenset(self.properties)
        chosen -= {*omit.split(), self.type.tag_property}
        properties = {name: value for name, value in self.properties.items() if name in chosen}
        return property_mapping.to_parameters(service, operation, properties, renamed) | (
            {} if only else tag_parameters(service, operation, self.tags, kind)
        )

    async def send(
        self,
        service: str,
        operation: str,
        /,
        *,
        omit: str = "",
        only: str = "",
        renamed: Mapping[str, str] | None = None,
        kind: str | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        """Call an operation with the properties that `params` selects; further parameters replace them."""
        own = self.params(service, operation, omit=omit, only=only, renamed=renamed, kind=kind)
        return await self.call(service, operation, **own | params)

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """Make an AWS call. Raises `ResourceError` in the words of a CloudFormation status reason."""
        try:
            return await self.ctx.aws.call(service, operation, **params)
        except AwsError as error:
            raise ResourceError(
                f"{error.message} (Service: {service}, Operation: {operation}, Status Code: {error.status}, "
                f"Error Code: {error.code})",
                code=error.code,
            ) from error

    async def put_or_delete(
        self, name: str, service: str, put: str, delete: str, parameters: Callable[[Any], dict[str, Any]], **target: Any
    ) -> None:
        """If a property changed, set it with one operation, or remove it with another when the template dropped it."""
        if not self.changed(name):
            return
        if name in self.properties:
            await self.call(service, put, **target, **parameters(self.properties[name]))
        else:
            await self.call(service, delete, **target)

    async def require_unused(self, name: str, service: str, operation: str, /, **params: Any) -> None:
        """Refuse a name in use, for APIs whose create call returns the existing resource. Raises `ResourceError` when
        the given call finds it."""
        try:
            await self.ctx.aws.call(service, operation, **params)
        except AwsError:
            return
        raise ResourceError(f"{name} already exists", code="AlreadyExists")


Step = Callable[[Job], Coroutine[Any, Any, None]]
Retag = Callable[[Job, Mapping[str, str]], Awaitable[None]]
"""Given the previous tags, makes `job.tags` the resource's tags."""


class ResourceType:
    """One entry of CloudFormation's registry. Sets of names are written as one string, separated by spaces."""

    def __init__(
        self,
        name: str,
        *,
        properties: str,
        create: Step,
        delete: Step,
        update: Step | None = None,
        stabilize: Step | None = None,
        required: str = "",
        create_only: str = "",
        attributes: str = "",
        not_emulated: str = "",
        name_property: str = "",
        tag_property: str = "Tags",
        retag: Retag | None = None,
        stack_tags: bool = True,
    ) -> None:
        """`create` calls `job.created`; on a failure before that it leaves nothing behind. For `delete`, errors that
        say the resource is missing count as success. Without `update`, every change replaces the resource.
        `stabilize` waits until it is usable, or raises `ResourceError`; it may be cancelled. `create_only` are
        properties (or `Property.Member`) whose change replaces it, `not_emulated` those that are refused by name.
        Two resources of one `name_property` cannot exist, so a named one cannot be replaced. Without `retag`, it
        takes no tags. Without `stack_tags`, CloudFormation gives it none of the tags `aws:cloudformation:…`."""
        self.name = name
        self.properties = frozenset(properties.split())
        self.create, self.delete, self.update, self.stabilize = create, delete, update, stabilize
        self.required = frozenset(required.split())
        self.create_only = frozenset(create_only.split())
        self.attributes = frozenset(attributes.split())
        self.not_emulated = frozenset(not_emulated.split())
        self.name_property, self.tag_property = name_property, tag_property
        self.retag = retag
        self.stack_tags = stack_tags

    def check(self, properties: Mapping[str, Any]) -> None:
        """Raises `PropertyError` for a property that is unknown, not emulated, or missing."""
        for name in properties:
            if name in self.not_emulated:
                raise PropertyError(
                    f"Property {name} of {self.name} is not emulated. Leave it out, or run this stack on AWS."
                )
            if name not in self.properties:
                raise PropertyError(f"Encountered unsupported property {name}")
        for name in sorted(self.required):
            if name not in properties:
                raise PropertyError(
                    f"Properties validation failed for resource with message: #: required key [{name}] not found"
                )

    def changed(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
        """The top-level properties that differ, tags aside."""
        tags = self.tag_property if self.retag else ""
        return {name for name in {*before, *after} if name != tags and before.get(name) != after.get(name)}

    def replaces(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
        """The changed properties that require a replacement."""
        if self.update is None:
            return self.changed(before, after)
        return {path for path in self.create_only if _at(before, path) != _at(after, path)}


def _at(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def tags_of(properties: Mapping[str, Any], tag_property: str) -> dict[str, str]:
    """The template's own tags, written as a list of Key and Value or as a map. Raises `PropertyError`."""
    written = properties.get(tag_property, [])
    if isinstance(written, Mapping):
        return {key: text(value) for key, value in written.items()}
    try:
        return {text(tag["Key"]): text(tag.get("Value", "")) for tag in written}
    except (TypeError, KeyError, AttributeError):
        raise PropertyError(f"Value of property {tag_property} must be a list of Key and Value") from None


def retagging(service: str, *, by: str = "Arn") -> Retag:
    """Changes tags by the service's tag and untag operations. `by` is the attribute that identifies the resource
    there, empty for the physical id."""
    operations = TAG_OPERATIONS[service]

    async def retag(job: Job, before: Mapping[str, str]) -> None:
        resource = job.attributes[by] if by else job.physical_id
        if put := {key: value for key, value in job.tags.items() if before.get(key) != value}:
            await job.call(service, operations.tag, **operations.tag_parameters(resource, put))
        if removed := [key for key in before if key not in job.tags]:
            await job.call(service, operations.untag, **operations.untag_parameters(resource, removed))

    return retag


def deleting(service: str, operation: str, parameter: str, **fixed: Any) -> Step:
    """Deletes by one call that takes the physical id; `parameter` is `Name[]` where it takes a list."""

    async def delete(job: Job) -> None:
        await job.call(service, operation, **list_parameter(parameter, job.physical_id), **fixed)

    return delete


async def update_tags_only(job: Job) -> None:
    """For types of which only tags can change without a replacement."""
