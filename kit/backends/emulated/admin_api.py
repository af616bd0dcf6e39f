"""Client of the emulator's own HTTP API: `/_emulation/…` on its gateway."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from ...core.errors import InfraError


class ConnectionRefused(InfraError):
    """Nothing listens at the endpoint any more."""


def request(
    endpoint: str, path: str, *, method: str = "GET", body: Mapping[str, Any] | None = None, within: float = 10.0
) -> tuple[int, Any]:
    """The status and the JSON of an answer; proxies are bypassed. `within` is wall seconds. Blocks.

    Raises `ConnectionRefused` when nothing listens there, `InfraError` for any other missing or broken answer.
    """
    data = None if body is None else json.dumps(body).encode()
    made = urllib.request.Request(f"{endpoint}/_emulation/{path}", data=data, method=method)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(made, timeout=within) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _json(error.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        kind = ConnectionRefused if isinstance(reason, ConnectionRefusedError) else InfraError
        raise kind(f"the cloud does not answer: {reason}", where=endpoint) from error


def get(endpoint: str, path: str, *, within: float = 10.0) -> Any:
    """The JSON of a successful GET. Raises `InfraError`."""
    status, answer = request(endpoint, path, within=within)
    if status != 200:
        raise InfraError(f"the cloud answers {status}: {answer}", where=f"{endpoint}/_emulation/{path}")
    return answer


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {"error": body.decode("utf-8", "replace")[:500]}
