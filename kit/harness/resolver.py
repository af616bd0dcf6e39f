"""Resolves host names from the machine that runs the emulated cloud."""

from __future__ import annotations

import socket

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

THIS_MACHINE = "host.docker.internal"
"""The name of this machine inside containers where both share no loopback address. Tasks write it into rows and mails,
and rootless Docker, unlike Docker Desktop, does not define it outside containers."""


class Resolver(ThreadedResolver):
    """Resolves `host.docker.internal` to the loopback address, other names as usual."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return await super().resolve("127.0.0.1" if host == THIS_MACHINE else host, port, family)
