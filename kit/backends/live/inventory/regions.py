"""Distinguishes services that a region lacks from services that failed to answer."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, EndpointConnectionError

_UNAVAILABLE = ("InvalidAction", "Unavailable Operation")
"""SES's answer to every receiving call in regions without mail receiving:
https://docs.aws.amazon.com/ses/latest/dg/regions.html#region-receive-email"""


@dataclass(frozen=True)
class NotInRegion:
    """A service, or a part of one, that the region lacks."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


async def unavailable_reason(error: BaseException, exists: Callable[[str], bool] | None = None) -> str:
    """Why the region lacks what a listing asked for; empty for any other error.

    AWS has no DNS name where it has no service: `exists` resolves the host. An unreachable name server proves nothing.
    """
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        code, message = _UNAVAILABLE
        refused = details.get("Code") == code and message in str(details.get("Message"))
        return f"the region has no {error.operation_name} ({code}: {message})" if refused else ""
    cause = error if isinstance(error, EndpointConnectionError) else error.__cause__
    if not isinstance(cause, EndpointConnectionError):
        return ""
    host = urlsplit(str(cause.kwargs["endpoint_url"])).hostname or ""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        return ""
    return (
        "" if await asyncio.to_thread(exists or _exists, host) else f"the region does not have it: there is no {host}"
    )


def _exists(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return error.errno not in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    return True
