"""Names as the harness reads them, which is on the machine that the emulated cloud runs on."""

from __future__ import annotations

import socket

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

THIS_MACHINE = "host.docker.internal"
"""What containers call it where its loopback has no address for both. Docker Desktop makes the name known outside as
well, rootless Docker does not; a task writes it into rows and mails that are read here."""


class Resolver(ThreadedResolver):
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return await super().resolve("127.0.0.1" if host == THIS_MACHINE else host, port, family)
