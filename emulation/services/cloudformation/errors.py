"""How CloudFormation refuses."""

from __future__ import annotations

from ...core.errors import AwsError


class ValidationError(AwsError):
    """CloudFormation's one error for a template, a parameter or a request it does not take."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


class PropertyError(ValidationError):
    """A property of a resource that its type does not take; fails the resource, not the request."""


class ResourceError(Exception):
    """A resource could not be created, updated or deleted; the text is its status reason."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        """The AWS error code behind it, if an AWS call was refused."""


def missing_stack(name: str) -> ValidationError:
    return ValidationError(f"Stack with id {name} does not exist")
