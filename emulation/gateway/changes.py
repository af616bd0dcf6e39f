"""`GET /_emulation/changes`: a line for every change, with the services that changed. It does not end by itself."""

from __future__ import annotations

import asyncio

from aiohttp import web

_READS = ("Describe", "List", "Get", "BatchGet", "Query", "Scan", "Lookup", "Filter", "Validate", "Receive", "Head")
"""Beginnings of operations that change nothing which another operation reads."""


class Changes:
    """Collects changed services and reports them to every reader, as soon as the event loop gets to it."""

    def __init__(self) -> None:
        self._readers: dict[asyncio.Event, set[str]] = {}

    def note(self, service: str) -> None:
        """Something changed that this service answers."""
        for event, services in self._readers.items():
            services.add(service)
            event.set()

    def called(self, service: str, operation: str) -> None:
        """A call was answered with success."""
        if self._readers and not operation.startswith(_READS):
            self.note(service)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/_emulation/changes", self._report)]

    async def _report(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/plain", "Connection": "close"})
        await response.prepare(request)
        event, services = asyncio.Event(), set[str]()
        self._readers[event] = services
        try:
            await response.write(b"\n")
            while True:
                await event.wait()
                event.clear()
                line = " ".join(sorted(services))
                services.clear()
                await response.write(line.encode() + b"\n")
        except ConnectionError:
            return response
        finally:
            del self._readers[event]
