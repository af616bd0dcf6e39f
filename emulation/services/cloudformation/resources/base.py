"""What a resource type is, and what it is given to work with.

                         properties, tags         botocore's model
                               |                        |
    engine --> ResourceType.create(work) --> work.params(...) --> work.call(...) --> the AWS API
       ^                       |
       +---- work.made(id) ----+     from here on a failure leads to `delete`

Adding a type: write its three functions, one `ResourceType`, and put it into its module's `TYPES`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from ....core.controller import Context
from ....core.errors import AwsError
from .. import shapes
from ..errors import PropertyError, ResourceError
from ..intrinsics import text
from ..names import physical_name
from ..summary import words


@dataclass
class Work:
    """One resource being created, updated or deleted."""

    ctx: Context
    stack_name: str
    logical_id: str
    type: ResourceType
    properties: Mapping[str, Any]
    """Evaluated: no intrinsic function is left."""
    tags: Mapping[str, str]
    """All it shall carry: the template's, the stack's, and CloudFormation's own."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """Its properties until now; empty when it is created."""
    physical_id: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    """What Fn::GetAtt gives."""
    on_made: Callable[[str], None] = lambda physical_id: None

    def made(self, physical_id: str, **attributes: Any) -> None:
        """It exists now: tell its physical id, which is what Ref gives, and attributes. To be called at once when
        the creating call returns, so that whatever fails afterwards, the resource is not forgotten."""
        self.physical_id = physical_id
        self.attributes.update(attributes)
        self.on_made(physical_id)

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
        """Its name: the one the template gives, or one of our own."""
        given_by = given_by or self.type.named
        if given_by in self.properties:
            return self.text(given_by)
        return physical_name(self.stack_name, self.logical_id, self.ctx.ids, max_length, lower=lower)

    def params(
        self,
        service: str,
        operation: str,
        *,
        leave: str = "",
        only: str = "",
        renamed: Mapping[str, str] | None = None,
        kind: str | None = None,
    ) -> dict[str, Any]:
        """The operation's parameters: its properties in the API's spelling, and the tags.

        `leave` are properties that other calls take care of; `only`, if given, the ones this call takes. Any other
        that the operation has no member for is refused: nothing the template says is dropped in silence.
        """
        chosen = words(only) or frozenset(self.properties)
        chosen -= words(leave) | {self.type.tag_property}
        properties = {name: value for name, value in self.properties.items() if name in chosen}
        return shapes.parameters(service, operation, properties, renamed) | (
            {} if only else shapes.tagged(service, operation, self.tags, kind)
        )

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

    async def refuse_taken(self, name: str, service: str, operation: str, /, **params: Any) -> None:
        """For what is created by calls that take what is there already: a stack does not. Raises `ResourceError` when
        this look at it finds it."""
        try:
            await self.ctx.aws.call(service, operation, **params)
        except AwsError:
            return
        raise ResourceError(f"{name} already exists", code="AlreadyExists")


Step = Callable[[Work], Coroutine[Any, Any, None]]
Retag = Callable[[Work, Mapping[str, str]], Awaitable[None]]
"""Given the tags until now, makes `work.tags` the resource's tags."""


@dataclass(frozen=True)
class ResourceType:
    name: str
    properties: frozenset[str]
    """What a template may say, in AWS's registry's words."""
    create: Step
    """Create it, call `work.made`, set the attributes. Until `made`, nothing is left behind on failure."""
    delete: Step
    """Delete it. Errors that say it is not there count as success."""
    update: Step | None = None
    """Change it in place. None: any change replaces it."""
    stabilize: Step | None = None
    """Wait until it is usable, or raise `ResourceError`. May be cancelled."""
    required: frozenset[str] = frozenset()
    replacing: frozenset[str] = frozenset()
    """Properties (or `Property.Member`) whose change takes a new resource."""
    attributes: frozenset[str] = frozenset()
    not_emulated: frozenset[str] = frozenset()
    """Properties that AWS has and nothing here would make real: refused, by name."""
    named: str = ""
    """The property that gives its name. Two of one name cannot be, so such a resource cannot be replaced."""
    tag_property: str = "Tags"
    retag: Retag | None = None
    """None: it takes no tags."""

    def check(self, properties: Mapping[str, Any]) -> None:
        """Raises `PropertyError` for a property that it does not have, that is not emulated, or that is missing."""
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

    def replaces(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
        """The properties that changed and take a new resource."""
        changed = changes(before, after) - {self.tag_property if self.retag else ""}
        if self.update is None:
            return changed
        return {path for path in self.replacing if _at(before, path) != _at(after, path)}


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """The top-level properties that differ."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _at(properties: Mapping[str, Any], path: str) -> Any:
    found: Any = properties
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def tags_of(properties: Mapping[str, Any], tag_property: str) -> dict[str, str]:
    """The template's own tags, written as a list of Key and Value or as a map. Raises `PropertyError`."""
    written = properties.get(tag_property, [])
    if isinstance(written, Mapping):
        return {key: text(value) for key, value in written.items()}
    try:
        return {text(tag["Key"]): text(tag.get("Value", "")) for tag in written}
    except (TypeError, KeyError, AttributeError):
        raise PropertyError(f"Value of property {tag_property} must be a list of Key and Value") from None


def tagging(
    service: str, tag: str, untag: str, resource: str, *, by: str = "Arn", keys: str = "TagKeys", **fixed: Any
) -> Retag:
    """How most services change tags: one operation to set, one to remove. `resource` is the parameter that names the
    resource (`Name[]` where it takes a list), `by` the attribute to give there, empty for the physical id."""

    async def retag(work: Work, before: Mapping[str, str]) -> None:
        value = work.attributes[by] if by else work.physical_id
        target = {resource.removesuffix("[]"): [value] if resource.endswith("[]") else value, **fixed}
        if put := {key: value for key, value in work.tags.items() if before.get(key) != value}:
            await work.call(service, tag, **target, **shapes.tagged(service, tag, put))
        if gone := [key for key in before if key not in work.tags]:
            removed: list[Any] = [{"Key": key} for key in gone] if keys == "Tags" else gone
            await work.call(service, untag, **target, **{keys: removed})

    return retag
