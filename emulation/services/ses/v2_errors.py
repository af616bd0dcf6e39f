"""SES's version 2 API names the errors of version 1 differently."""

from __future__ import annotations

from typing import Any

from ...core.controller import Call, Handler
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


def in_v2(handler: Handler) -> Handler:
    """The same handler, its version 1 errors renamed."""

    async def renamed(call: Call) -> dict[str, Any]:
        try:
            return await handler(call)
        except AwsError as error:
            if error.code not in _NAMES:
                raise
            code, status = _NAMES[error.code]
            raise AwsError(code, error.message, status=status) from error

    return renamed
