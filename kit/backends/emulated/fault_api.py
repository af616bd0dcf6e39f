"""Injects faults into the emulated cloud through its admin API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import InfraError, UsageError
from ...core.threads import BlockingPool
from .admin_api import AdminApi, ConnectionRefused


@dataclass(frozen=True)
class GatewayFaultApi:
    """The `FaultApi` at `/_emulation/faults` on the emulated cloud's gateway."""

    admin: AdminApi
    threads: BlockingPool

    async def inject(self, id: str, kind: str, settings: Mapping[str, Any]) -> None:
        status, answer = await self._request("POST", "", {"id": id, "kind": kind, **settings})
        if status != 201:
            raise UsageError(f"the cloud refuses the fault: {answer.get('error', answer)}", where=f"{kind} {settings}")

    async def counts(self, id: str) -> Mapping[str, int]:
        status, answer = await self._request("GET", f"/{id}")
        if status != 200:
            raise InfraError(f"the cloud does not know fault {id}: {answer}")
        counts: Mapping[str, int] = answer["counts"]
        return counts

    async def undo(self, id: str) -> None:
        try:
            status, answer = await self._request("DELETE", f"/{id}")
        except ConnectionRefused:  # the faults are gone with their cloud
            return
        if status not in (200, 404):
            raise InfraError(f"fault {id} could not be undone: {status} {answer}")

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
        return await self.threads.run(self.admin.request, f"faults{path}", method=method, body=body)
