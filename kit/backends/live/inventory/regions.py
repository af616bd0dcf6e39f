"""What a region does not have, told from what only did not answer: then nothing can be there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, EndpointConnectionError

_UNAVAILABLE = ("InvalidAction", "Unavailable Operation")
"""SES's answer to every call about receiving, in regions where it receives no mail:
https://docs.aws.amazon.com/ses/latest/dg/regions.html#region-receive-email"""


@dataclass(frozen=True)
class Absent:
    """A service, or a part of one, that the region does not have."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


async def absence(error: BaseException, exists: Callable[[str], bool] | None = None) -> str:
    """Why what a listing asked for cannot be in this region; empty when the error says nothing of that.

    AWS names no endpoint where it has no service, so `exists` asks the DNS; a name server that does not answer proves
    nothing.
    """
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        code, message = _UNAVAILABLE
        refused = told.get("Code") == code and message in str(told.get("Message"))
        return f"the region has no {error.operation_name} ({code}: {message})" if refused else ""
    cause = error if isinstance(error, EndpointConnectionError) else error.__cause__
    if not isinstance(cause, EndpointConnectionError):
        return ""
    host = urlsplit(str(cause.kwargs["endpoint_url"])).hostname or ""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        return ""
    there = await asyncio.to_thread(exists or _exists, host)
    return "" if there else f"the region does not have it: there is no {host}"


def _exists(host: str) -> bool:
    try:
        socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return error.errno not in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
    return True
