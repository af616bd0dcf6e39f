"""The errors of CloudFormation."""

from __future__ import annotations

from ...core.errors import AwsError


class ValidationError(AwsError):
    """CloudFormation's error for an invalid template, parameter or request."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


class PropertyError(ValidationError):
    """An invalid property of a resource; fails the resource, not the request."""


class ResourceError(Exception):
    """A resource could not be created, updated or deleted; the text is its status reason."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        """The AWS error code, if an AWS call failed."""


def stack_not_found(name: str) -> ValidationError:
    return ValidationError(f"Stack with id {name} does not exist")
