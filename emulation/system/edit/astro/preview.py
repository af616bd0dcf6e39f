"""The preview by real Astro, as the edit container sees it."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from concurrent.futures import Executor
from pathlib import Path

import aiohttp
from aiohttp import web

from ...answers import Refused
from ...clock import Clock
from ..activity import Activity
from ..directory import Place
from ..origin import SAMPLE_SITE
from ..projects import Projects
from .host import Host, HostError
from .proxy import Proxy
from .servers import DevServers, base_of
from .toolchain import Toolchain

log = logging.getLogger(__name__)

_SAMPLE = ("astro.config.mjs", "package.json", "tsconfig.json", "src", "public")


class AstroPreview:
    """As `Preview` says."""

    def __init__(
        self, toolchain: Toolchain, projects: Projects, activity: Activity, clock: Clock, threads: Executor
    ) -> None:
        self.name = f"astro {toolchain.astro}"
        self._activity = activity
        self._folder = Path(tempfile.mkdtemp(prefix="preview-")).resolve()
        (self._folder / "node_modules").symlink_to(toolchain.modules, target_is_directory=True)
        self._host = Host(toolchain, self._folder / ".home")
        self._servers = DevServers(self._host, projects, activity, clock, threads=threads, folder=self._folder)
        self._proxy = Proxy()
        self._early: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Render a page of the sample site, unless a session's is wanted already: most of a first page's time goes
        into loading Astro."""
        place = Place("-warm-", "-", "-", "-")
        root = self._folder / place.session_id
        try:
            await self._host.ready()
            if self._servers.wanted:
                return
            for part in _SAMPLE:
                await asyncio.to_thread(_copy, SAMPLE_SITE / part, root / part)
            port = await self._host.start(place.session_id, root, base_of(place), "ws")
            await self._proxy.status(port, base_of(place))
            await self._host.stop(place.session_id)
        except (HostError, aiohttp.ClientError, OSError, TimeoutError) as error:
            log.error("Astro does not start", extra={"cause": str(error)})
        finally:
            shutil.rmtree(root, ignore_errors=True)

    async def page(self, request: web.Request, place: Place, room: str, path: str) -> web.StreamResponse:
        headers = {"X-Content-Type-Options": "nosniff", "X-Preview": self.name}
        below = request.rel_url.raw_path.split("/", 3)[3:]
        base = base_of(place)
        async with self._servers.current(place) as server:
            return await self._proxy.page(request, server.port, base + "".join(below), base, headers)

    async def problem(self, place: Place) -> str | None:
        async with self._servers.current(place) as server:
            try:
                status = await self._proxy.status(server.port, base_of(place))
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                return f"the dev server does not answer: {error}"
        return None if status == 200 else f"the dev server answers {status}"

    async def hot_reload(self, request: web.Request, place: Place) -> web.StreamResponse:
        # A page that is still open asks for its lost server every second; that does not bring a session back.
        if not self._servers.is_running(place) and await self._activity.has_ended(place):
            raise Refused(404, "The session has ended")
        async with self._servers.current(place) as server:
            return await self._proxy.socket(request, server.port, f"/ws/hmr/{place.session_id}", server.sockets)

    def notice(self, place: Place) -> None:
        """A session with a job will be visited: its server starts at once."""
        if self._servers.is_running(place):
            self._servers.notice(place)
            return
        early = asyncio.create_task(self._start(place), name=f"start {place.session_id}")
        self._early.add(early)
        early.add_done_callback(self._early.discard)

    async def close(self) -> None:
        for task in self._early:
            task.cancel()
        await self._servers.close()
        await self._proxy.close()
        await self._host.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _start(self, place: Place) -> None:
        try:
            async with self._servers.current(place):
                pass
        except Refused as refused:
            log.warning("a preview did not start", extra={"sessionId": place.session_id, "cause": refused.message})


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
