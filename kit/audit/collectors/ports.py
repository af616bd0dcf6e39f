"""Ports on which processes of a dead run still listen, until the process ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..collector import Collector, Leftover, Runs
from ..machine import carriers, listening
from ..notes import TOKEN_VARIABLE


class Ports(Collector):
    """Identified by the listening process, not by number, which may be reused."""

    name = "ports"

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        return [
            Leftover(f"port {address} (of process {one.identity.pid})", one.token)
            for one in carriers(TOKEN_VARIABLE, [noted.token for noted in runs.over])
            for address in listening(one.identity.pid)
        ]

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        return dict.fromkeys(left, "free with its process")
