"""Hot reload: notifies browsers by Vite's protocol of a branch's new commit, also of one by another task.

own work ---- notice() --+
                         v
branch head --(poll)--> watch, one per branch, while anybody listens --> sockets
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from aiohttp import web

from ..clock import Clock
from .activity import Activity
from .directory import Place
from .git import GitError
from .projects import Projects

log = logging.getLogger(__name__)

POLL = 2.0
"""AWS seconds between two looks at a branch's head: another task may have moved it."""
PING = 20.0
"""AWS seconds between pings; a load balancer closes a socket that is silent for 60."""
_SEND_TIMEOUT = 5.0
"""Wall seconds after which a browser that does not read is let go."""
_CLOSE_TIMEOUT = 0.2
"""Wall seconds in which a browser may answer to a close; the task has better things to do."""


@dataclass(frozen=True)
class Branch:
    """What a socket follows; no branch name means: whatever is checked out."""

    client_id: str
    user_id: str
    name: str | None


@dataclass
class _Watch:
    sockets: dict[web.WebSocketResponse, Place | None] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class HotReload:
    def __init__(self, projects: Projects, activity: Activity, clock: Clock) -> None:
        self._projects = projects
        self._activity = activity
        self._clock = clock
        self._watches: dict[Branch, _Watch] = {}

    async def serve(self, request: web.Request, branch: Branch | None, place: Place | None) -> web.WebSocketResponse:
        """Upgrade the request and keep the socket until it closes."""
        socket = web.WebSocketResponse(protocols=("vite-hmr",))
        await socket.prepare(request)
        watch = self._joined(branch, socket, place)
        try:
            await socket.send_json({"type": "connected"})
            async for _ in socket:
                pass  # Vite's client says "ping" now and then; its server does not answer to that
        except ConnectionError:
            pass
        finally:
            self._left(branch, socket, watch)
        return socket

    def notice(self, client_id: str, user_id: str, branch: str) -> None:
        """A branch has just moved: do not wait for the next look."""
        for name in (branch, None):
            if watch := self._watches.get(Branch(client_id, user_id, name)):
                watch.news.set()

    async def close(self) -> None:
        """Tell all browsers to go; they will come back to another task."""
        sockets = [socket for watch in self._watches.values() for socket in watch.sockets]
        await asyncio.gather(*(_closed(socket) for socket in sockets), return_exceptions=True)

    def _joined(self, branch: Branch | None, socket: web.WebSocketResponse, place: Place | None) -> _Watch:
        key = branch or Branch("", "", None)
        watch = self._watches.setdefault(key, _Watch())
        watch.sockets[socket] = place
        if watch.task is None:
            watch.task = asyncio.create_task(self._watch(branch, watch), name=f"watch {branch}")
        return watch

    def _left(self, branch: Branch | None, socket: web.WebSocketResponse, watch: _Watch) -> None:
        watch.sockets.pop(socket, None)
        if not watch.sockets and watch.task is not None:
            watch.task.cancel()
            self._watches.pop(branch or Branch("", "", None), None)

    async def _watch(self, branch: Branch | None, watch: _Watch) -> None:
        seen = self._head(branch)
        pinged = self._clock.now()
        while True:
            await self._news(watch)
            head = self._head(branch)
            if head != seen and branch is not None:
                changed = await self._changed(branch, seen, head)
                await self._tell(watch, json.dumps(message(changed, self._clock.now_ms())))
                seen = head
            if self._clock.now() >= pinged + PING:
                pinged = self._clock.now()
                await self._tell(watch, None)
            for place in set(watch.sockets.values()):
                if place is not None:
                    self._activity.touch(place)

    async def _news(self, watch: _Watch) -> None:
        try:
            async with self._clock.timeout(POLL):
                await watch.news.wait()
        except TimeoutError:
            pass
        watch.news.clear()

    def _head(self, branch: Branch | None) -> str | None:
        if branch is None:
            return None
        repository = self._projects.repository(branch.client_id, branch.user_id)
        return repository.head(branch.name) if branch.name else repository.current_head()

    async def _changed(self, branch: Branch, before: str | None, after: str | None) -> list[str]:
        if before is None or after is None:
            return []
        repository = self._projects.repository(branch.client_id, branch.user_id)
        try:
            return await asyncio.to_thread(repository.changed_between, before, after)
        except GitError as error:
            log.warning("what changed is unknown", extra={"cause": str(error)})
            return []

    async def _tell(self, watch: _Watch, text: str | None) -> None:
        """Send a message, or a ping, to every socket; one that does not take it is closed."""
        await asyncio.gather(*(_sent(socket, text) for socket in list(watch.sockets)))


def message(changed: Collection[str], timestamp_ms: int) -> dict[str, object]:
    """Vite's message for changed files: an update when only stylesheets changed, else a full reload.

    `path` is the page to reload, `*` when more than one page may be concerned.
    """
    if changed and all(path.endswith(".css") for path in changed):
        updates = [
            {"type": "css-update", "timestamp": timestamp_ms, "path": _url(path), "acceptedPath": _url(path)}
            for path in sorted(changed)
        ]
        return {"type": "update", "updates": updates}
    pages = [path for path in changed if path.startswith("src/pages/")]
    path = _url(pages[0]) if len(changed) == 1 and pages else "*"
    return {"type": "full-reload", "path": path}


def _url(path: str) -> str:
    if path.startswith("src/pages/"):
        page = str(PurePosixPath(path).relative_to("src/pages").with_suffix(""))
        return f"/{page.removesuffix('index')}".removesuffix("/") or "/"
    return f"/{path.removeprefix('public/')}"


async def _sent(socket: web.WebSocketResponse, text: str | None) -> None:
    try:
        async with asyncio.timeout(_SEND_TIMEOUT):
            await (socket.ping() if text is None else socket.send_str(text))
    except (ConnectionError, TimeoutError, RuntimeError):
        await _closed(socket)


async def _closed(socket: web.WebSocketResponse) -> None:
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await socket.close(code=1001, message=b"going away")
    except (ConnectionError, TimeoutError, RuntimeError):
        pass
