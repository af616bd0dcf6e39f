"""Translates errors of version 1 of the SES API to version 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.controller import Call, Handler, Operation
from ...core.errors import AwsError

_NAMES = {
    "InvalidParameterValue": ("BadRequestException", 400),
    "InvalidRenderingParameter": ("BadRequestException", 400),
    "ValidationError": ("BadRequestException", 400),
    "ConfigurationSetDoesNotExist": ("NotFoundException", 404),
    "TemplateDoesNotExist": ("NotFoundException", 404),
    "AlreadyExists": ("AlreadyExistsException", 400),
    "LimitExceeded": ("LimitExceededException", 400),
}


def with_v2_errors(handlers: Mapping[Operation, Handler]) -> dict[Operation, Handler]:
    """The same handlers, raising the errors of version 2."""
    return {operation: _translated(handler) for operation, handler in handlers.items()}


def _translated(handler: Handler) -> Handler:
    async def answer(call: Call) -> dict[str, Any]:
        try:
            return await handler(call)
        except AwsError as error:
            if error.code not in _NAMES:
                raise
            code, status = _NAMES[error.code]
            raise AwsError(code, error.message, status=status) from error

    return answer
