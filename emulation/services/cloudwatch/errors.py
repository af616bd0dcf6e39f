"""CloudWatch's validation errors."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.errors import AwsError

INVALID_TOKEN = AwsError("InvalidNextToken", "The token supplied is invalid")


def validation_error(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def outside_enum(value: str, parameter: str, allowed: Iterable[str]) -> AwsError:
    """The error for a value that is not in the model's enumeration."""
    return validation_error(
        f"1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    )
