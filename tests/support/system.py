"""The reference system inside a test: sites in memory, and edit containers over real git.

async with edit_container(tmp_path) as edit:
    status, done = await edit.work("w1", "Create page A")
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, overload

import aiohttp
import pytest
from hypothesis import HealthCheck, settings

from webordinary_testkit.emulation.system.answers import serve
from webordinary_testkit.emulation.system.clock import Clock
from webordinary_testkit.emulation.system.edit.app import application
from webordinary_testkit.emulation.system.edit.config import Settings
from webordinary_testkit.emulation.system.edit.container import Container

T = TypeVar("T")
SCALE = 60.0
REGION = "us-west-2"


patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For property tests: a busy machine is no counterexample."""


@overload
async def until(
    probe: Callable[[], Coroutine[Any, Any, T]], holds: Callable[[T], object] = ..., within: float = ...
) -> T: ...
@overload
async def until(probe: Callable[[], T], holds: Callable[[T], object] = ..., within: float = ...) -> T: ...
async def until(probe: Callable[[], Any], holds: Callable[[Any], object] = bool, within: float = 10.0) -> Any:
    """Probe again and again for some wall seconds until the value holds; fails with the last value seen."""
    __tracebackhide__ = True
    deadline = time.monotonic() + within
    while True:
        found = probe()
        value = await found if asyncio.iscoroutine(found) else found
        if holds(value):
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"did not come to hold within {within:g} s; last seen: {value!r}")
        await asyncio.sleep(0.01)


def clock(scale: float = SCALE) -> Clock:
    return Clock(scale, time.time())


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def url_of(sock: socket.socket) -> str:
    return f"http://127.0.0.1:{sock.getsockname()[1]}"


class Files:
    """A site in memory, for the agent and the preview."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = {path: text.encode() for path, text in files.items()}

    def paths(self) -> set[str]:
        return set(self.files)

    def read(self, path: str) -> bytes:
        return self.files[path]

    def changed(self, changes: Mapping[str, bytes | None]) -> Files:
        after = Files({})
        after.files = {path: content for path, content in {**self.files, **changes}.items() if content is not None}
        return after


def sample_site() -> Files:
    """The site that ships with the system."""
    root = Path(__file__).parents[2] / "emulation/system/site"
    found = Files({})
    for folder in ("src", "public"):
        for file in (root / folder).rglob("*"):
            if file.is_file():
                found.files[file.relative_to(root).as_posix()] = file.read_bytes()
    return found


# ---- An edit container -------------------------------------------------------------------------------------


@dataclass
class Edit:
    """A running container, and the session most tests work in."""

    container: Container
    url: str
    http: aiohttp.ClientSession
    workspace: Path

    async def post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        async with self.http.post(self.url + path, json=body) as response:
            return response.status, await response.json()

    async def get(self, path: str) -> tuple[int, str]:
        async with self.http.get(self.url + path) as response:
            return response.status, await response.text()

    async def work(
        self,
        work_id: str,
        instruction: str,
        *,
        session: str = "s1",
        client: str = "test-client",
        user: str = "test@example.com",
        thread: str = "t1",
    ) -> tuple[int, dict[str, Any]]:
        body = {
            "clientId": client,
            "userId": user,
            "threadId": thread,
            "workId": work_id,
            "instruction": instruction,
        }
        return await self.post(f"/api/sessions/{session}/work", body)

    def project(self, user: str = "test", client: str = "test-client") -> Path:
        return self.workspace / client / user / "project"


@asynccontextmanager
async def edit_container(workspace: Path, *, scale: float = SCALE, **more: Any) -> AsyncIterator[Edit]:
    """A container on a workspace; several may share one. AWS is out of its reach unless the test sets it up."""
    settings = Settings(
        workspace=workspace,
        sessions_table="sessions",
        host="127.0.0.1",
        port=0,
        repository_url="",
        default_client_id="",
        default_user_id="",
        metadata_uri="",
        region=REGION,
        git=shutil.which("git") or "",
        clock=clock(scale),
    )
    container = Container(replace(settings, **more))
    container.start()
    sock = listening()
    runner = await serve(application(container), sock, grace=1)
    async with aiohttp.ClientSession() as http:
        try:
            yield Edit(container, url_of(sock), http, workspace)
        finally:
            await container.stop()
            await runner.cleanup()
            await container.close()
