"""One dev server for each session: started on demand, kept at its branch's head, stopped when the session ends."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from ... import names
from ...answers import Refused
from ...clock import Clock
from ...locks import Locks
from ..activity import Activity
from ..blobs import Snapshot
from ..builtin import NOT_READY
from ..directory import Place
from ..git import GitError
from ..hot_reload import PING, POLL
from ..projects import Projects
from .checkout import Checkout
from .host import Host, HostError
from .proxy import closed

log = logging.getLogger(__name__)

UNUSED = 300.0
"""AWS seconds after which a dev server without visits is stopped: production's idle time of a session."""
LOOK = 30.0
"""AWS seconds between two looks whether a session has ended."""
MOST = 32
"""Dev servers at once, but for those that are needed at this moment: with 24 of them the host takes 320 MB, and each
further one 4; a task has 512."""


@dataclass
class DevServer:
    place: Place
    checkout: Checkout
    port: int
    generation: int
    """The host's, in which it was started."""
    used: float
    """AWS time of its last request."""
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    watch: asyncio.Task[None] | None = None


class DevServers:
    def __init__(
        self, host: Host, projects: Projects, activity: Activity, clock: Clock, *, threads: Executor, folder: Path
    ) -> None:
        """`folder` is where the sessions' files are put; modules are found in its `node_modules`."""
        self._host = host
        self._projects = projects
        self._activity = activity
        self._clock = clock
        self._threads = threads
        self._folder = folder
        self._locks = Locks()
        self._running: dict[str, DevServer] = {}
        self._needed = Counter[str]()
        """Session → its requests under way."""
        self.wanted = False
        """Somebody has asked for one."""

    def is_running(self, place: Place) -> bool:
        return place.session_id in self._running

    @asynccontextmanager
    async def current(self, place: Place) -> AsyncIterator[DevServer]:
        """A session's dev server, which has the newest files, for as long as it is needed: no other takes its place
        meanwhile. Raises `Refused` with 503."""
        self.wanted = True
        self._needed[place.session_id] += 1
        try:
            async with self._locks[place.session_id]:
                try:
                    server = await self._updated(place)
                except (HostError, GitError, OSError) as error:
                    await self._dropped(place.session_id)
                    raise Refused(503, f"The preview cannot be served: {error}") from None
                server.used = self._clock.now()
            yield server
        finally:
            self._needed[place.session_id] -= 1
            self._needed += Counter()  # forgets the sessions of which none is under way

    def notice(self, place: Place) -> None:
        """The branch has moved: do not wait for the next look."""
        if server := self._running.get(place.session_id):
            server.news.set()

    async def close(self) -> None:
        """Send all browsers away; the servers end with their host."""
        for server in self._running.values():
            if server.watch is not None:
                server.watch.cancel()
        sockets = [socket for server in self._running.values() for socket in server.sockets]
        self._running.clear()
        await asyncio.gather(*map(closed, sockets), return_exceptions=True)

    async def _updated(self, place: Place) -> DevServer:
        snapshot = await self._projects.snapshot(place.client_id, place.user_id, place.branch)
        if snapshot is None:
            raise Refused(503, NOT_READY)
        server = self._running.get(place.session_id)
        if server is not None and not (server.generation == self._host.generation and self._host.alive):
            await self._dropped(place.session_id)
            server = None
        if server is None:
            return await self._started(place, snapshot)
        if server.checkout.commit != snapshot.commit:
            events = await asyncio.get_running_loop().run_in_executor(self._threads, server.checkout.update, snapshot)
            await self._host.changed(place.session_id, events)
        return server

    async def _started(self, place: Place, snapshot: Snapshot) -> DevServer:
        await self._make_room()
        name = names.session_id(place.session_id)
        began = self._clock.now()
        checkout = Checkout(self._folder / name)
        shutil.rmtree(checkout.root, ignore_errors=True)
        checkout.root.mkdir(parents=True)
        await asyncio.get_running_loop().run_in_executor(self._threads, checkout.update, snapshot)
        # Vite joins the socket's path to its base: two steps up, and it is the load balancer's.
        port = await self._host.start(name, checkout.root, base_of(place), f"../../ws/hmr/{name}")
        server = DevServer(place, checkout, port, self._host.generation, self._clock.now())
        self._running[name] = server
        server.watch = asyncio.create_task(self._watch(server), name=f"watch {name}")
        log.info("a dev server runs", extra={"sessionId": name, "tookSeconds": round(self._clock.now() - began, 1)})
        return server

    async def _make_room(self) -> None:
        idle = [server for name, server in self._running.items() if not (server.sockets or self._needed[name])]
        idle.sort(key=lambda one: one.used)
        for server in idle[: max(0, len(self._running) + 1 - MOST)]:
            await self._dropped(server.place.session_id)

    async def _dropped(self, session_id: str) -> None:
        server = self._running.pop(session_id, None)
        if server is None:
            return
        if server.watch is not None and server.watch is not asyncio.current_task():
            server.watch.cancel()
        await asyncio.gather(*map(closed, list(server.sockets)), return_exceptions=True)
        try:
            if server.generation == self._host.generation and self._host.alive:
                await self._host.stop(session_id)
        except HostError as error:
            log.warning("a dev server did not stop", extra={"sessionId": session_id, "cause": str(error)})
        shutil.rmtree(server.checkout.root, ignore_errors=True)

    async def _watch(self, server: DevServer) -> None:
        place = server.place
        pinged = looked = self._clock.now()
        while True:
            has_news = await self._news(server)
            if server.sockets:
                self._activity.touch(place)
                server.used = self._clock.now()
            try:
                if server.sockets or has_news:
                    async with self._locks[place.session_id]:
                        await self._updated(place)
            except (Refused, HostError, GitError, OSError) as error:
                log.warning("a preview is behind", extra={"sessionId": place.session_id, "cause": str(error)})
            now = self._clock.now()
            if now >= pinged + PING:
                pinged = now
                await asyncio.gather(*(socket.ping() for socket in server.sockets), return_exceptions=True)
            over = now >= server.used + UNUSED
            if not over and now >= looked + LOOK:
                looked = now
                over = await self._activity.has_ended(place)
            if over:
                async with self._locks[place.session_id]:
                    await self._dropped(place.session_id)
                log.info("a dev server was stopped", extra={"sessionId": place.session_id})
                return

    async def _news(self, server: DevServer) -> bool:
        try:
            async with self._clock.timeout(POLL):
                await server.news.wait()
        except TimeoutError:
            return False
        server.news.clear()
        return True


def base_of(place: Place) -> str:
    """Where the session's pages and modules are, with the slash that Vite wants."""
    return f"/session/{place.session_id}/"
