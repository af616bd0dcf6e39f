"""The errors of the ECS API."""

from __future__ import annotations

from ...core.errors import AwsError


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)


def client_error(message: str) -> AwsError:
    return AwsError("ClientException", message)


def not_emulated(what: str) -> AwsError:
    return AwsError(
        "NotImplemented",
        f"{what} is not emulated. Nothing was changed. Leave it out, or run against real AWS.",
    )
