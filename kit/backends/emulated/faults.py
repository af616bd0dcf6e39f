"""How a cloud is told to go wrong, where it can be: the emulated one by its gateway."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...core.errors import InfraError, UsageError
from ...core.threads import Threads

_ANSWER_WITHIN = 10.0
"""Wall seconds."""


class FaultDoor(Protocol):
    """Where the cloud itself takes orders to fail. A cloud without such a door has None in its place."""

    async def inject(self, id: str, kind: str, settings: Mapping[str, Any]) -> None:
        """Let a fault happen from now on. Raises `UsageError` when it is refused, and nothing has happened then."""
        ...

    async def counts(self, id: str) -> Mapping[str, int]:
        """How often the fault did what, so far. Also after its end."""
        ...

    async def undo(self, id: str) -> None:
        """Let it happen no more. Harmless when it does not: ended before, never begun, or gone with its cloud."""
        ...


@dataclass(frozen=True)
class GatewayFaults:
    """The door of the emulated cloud: `/_emulation/faults` on its gateway."""

    url: str
    """The gateway's."""
    threads: Threads

    async def inject(self, id: str, kind: str, settings: Mapping[str, Any]) -> None:
        status, answer = await self.threads.run(self._ask, "POST", "", {"id": id, "kind": kind, **settings})
        if status != 201:
            raise UsageError(f"the cloud refuses the fault: {answer.get('error', answer)}", where=f"{kind} {settings}")

    async def counts(self, id: str) -> Mapping[str, int]:
        status, answer = await self.threads.run(self._ask, "GET", f"/{id}", None)
        if status != 200:
            raise InfraError(f"the cloud does not know fault {id}: {answer}")
        counts: Mapping[str, int] = answer["counts"]
        return counts

    async def undo(self, id: str) -> None:
        try:
            status, answer = await self.threads.run(self._ask, "DELETE", f"/{id}", None)
        except _Gone:
            return
        if status not in (200, 404):
            raise InfraError(f"fault {id} could not be undone: {status} {answer}")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_emulation/faults{path}", data=data, method=method)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=_ANSWER_WITHIN) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _json(error.read())
        except urllib.error.URLError as error:
            kind = _Gone if isinstance(error.reason, ConnectionRefusedError) else InfraError
            raise kind(f"the cloud does not answer: {error.reason}", where=self.url) from error


class _Gone(InfraError):
    """Nobody listens there any more; its faults are gone with it."""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {"error": body.decode("utf-8", "replace")[:500]}
