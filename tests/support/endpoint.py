"""AWS-compatible endpoints that are programs of their own: moto's server, and one that has only some services."""

from __future__ import annotations

import asyncio
import math
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

_READY_WITHIN = 30.0


@contextmanager
def moto_server() -> Iterator[str]:
    """The URL of a moto server on loopback, gone at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_WITHIN
    while True:
        try:
            urllib.request.urlopen(f"{url}/moto-api/", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, f"moto's server ended with {process.returncode}"
            assert time.monotonic() < until, f"moto's server does not answer at {url}"
            time.sleep(0.02)  # between two looks


@dataclass
class Failure:
    """The answer of a failing endpoint."""

    status: int = 500
    """0 for no answer at all."""
    body: str = '{"__type": "InternalError", "message": "exception while calling it"}'
    times: float = math.inf
    """How many times; then it answers as usual."""


@dataclass
class Partial:
    """An endpoint in front of another one."""

    url: str = ""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Signing name and headers (lower case) of every request."""
    failing: dict[str, Failure] = field(default_factory=dict)
    """Services that fail now, by signing name."""


@asynccontextmanager
async def partial_endpoint(
    behind: str, lacking: Collection[str] = (), failing: Mapping[str, Failure] | None = None
) -> AsyncIterator[Partial]:
    """Passes on to `behind`, but answers as LocalStack's free edition does for services (signing names) it lacks."""
    front = Partial(failing=dict(failing or {}))
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def answer(request: web.Request) -> web.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            scope = re.search(r"Credential=([^,]+)", headers.get("authorization", ""))
            service = scope[1].split("/")[-2] if scope else ""
            front.requests.append((service, headers))
            if (failure := front.failing.get(service)) is not None and failure.times > 0:
                failure.times -= 1
                if not failure.status:
                    await asyncio.Event().wait()
                kind = "text/html" if failure.body.startswith("<") else "application/x-amz-json-1.0"
                return web.Response(status=failure.status, body=failure.body.encode(), headers={"content-type": kind})
            if service in lacking:
                message = f"The API for service {service} is either not included in your current license plan or"
                body = {"__type": "InternalFailure", "message": f"{message} has not yet been emulated by LocalStack."}
                return web.json_response(body, status=501, headers={"x-amzn-errortype": "InternalFailure"})
            passed = {name: value for name, value in headers.items() if name not in ("host", "content-length")}
            async with session.request(
                request.method, f"{behind}{request.raw_path}", headers=passed, data=await request.read()
            ) as reply:
                kept = {n: v for n, v in reply.headers.items() if n.lower() not in ("content-length", "connection")}
                return web.Response(status=reply.status, headers=kept, body=await reply.read())

        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        front.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield front
        finally:
            await asyncio.wait_for(runner.cleanup(), 5)
