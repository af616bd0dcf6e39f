"""Client of the emulator's own HTTP API: `/_emulation/…` on its gateway."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InfraError, UsageError


class ConnectionRefused(InfraError):
    """Nothing listens at the endpoint any more."""


@dataclass(frozen=True)
class AdminApi:
    """The API of one cloud."""

    endpoint: str
    """The gateway's URL."""
    token: str = field(default="", repr=False)
    """The secret access key of the run; only `health` needs none."""

    def request(
        self, path: str, *, method: str = "GET", body: Mapping[str, Any] | None = None, within: float = 10.0
    ) -> tuple[int, Any]:
        """The status and the JSON of an answer; proxies are bypassed. `within` is wall seconds. Blocks.

        Raises `ConnectionRefused` when nothing listens there, `InfraError` for any other missing or broken answer.
        """
        made = urllib.request.Request(  # noqa: S310 - an http address of the run
            f"{self.endpoint}/_emulation/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}"},
            method=method,
        )
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
            raise kind(f"the cloud does not answer: {reason}", where=self.endpoint) from error

    def get(self, path: str, *, within: float = 10.0) -> Any:
        """The JSON of a successful GET. Raises `InfraError`, and `UsageError` when the token is not the cloud's."""
        status, answer = self.request(path, within=within)
        where = f"{self.endpoint}/_emulation/{path}"
        if status == 403:
            raise UsageError(
                f"the cloud refuses this access key: {answer.get('error', answer)}",
                where=where,
                next="export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY as its kit up printed them",
            )
        if status != 200:
            raise InfraError(f"the cloud answers {status}: {answer}", where=where)
        return answer


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {"error": body.decode("utf-8", "replace")[:500]}
