"""The built-in preview: a subset of Astro, rendered from git's objects, with hot reload in Vite's words."""

from __future__ import annotations

import html
from urllib.parse import quote

from aiohttp import web

from ..answers import Refused
from ..preview import Answer, Site
from .directory import Place
from .git import GitError
from .hot_reload import Branch, HotReload
from .projects import Projects

NOT_READY = "The session's workspace does not exist yet"


class BuiltinPreview:
    """As `Preview` says."""

    name = "builtin"

    def __init__(self, projects: Projects, hot_reload: HotReload) -> None:
        self._projects = projects
        self._hot_reload = hot_reload

    async def prepare(self) -> None:
        """There is nothing to prepare."""

    async def page(self, request: web.Request, place: Place, room: str, path: str) -> web.StreamResponse:
        answer = await self._answer(place, room, path)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Preview": self.name}
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        response.headers["Content-Type"] = answer.content_type
        return response

    async def problem(self, place: Place) -> str | None:
        answer = await self._answer(place, "session", "")
        return None if answer.status == 200 else f"{answer.source}"

    async def hot_reload(self, request: web.Request, place: Place) -> web.StreamResponse:
        return await self._hot_reload.serve(request, Branch(place.client_id, place.user_id, place.branch), place)

    def notice(self, place: Place) -> None:
        self._hot_reload.notice(place.client_id, place.user_id, place.branch)

    async def close(self) -> None:
        await self._hot_reload.close()

    async def _answer(self, place: Place, room: str, path: str) -> Answer:
        try:
            snapshot = await self._projects.snapshot(place.client_id, place.user_id, place.branch)
        except GitError as git_error:
            raise Refused(503, f"The workspace cannot be read: {git_error}") from None
        if snapshot is None:
            raise Refused(503, NOT_READY)
        script = f"/_astro/hot-reload.js?session={quote(place.session_id)}"
        tail = f'<script type="module" src="{html.escape(script)}"></script>\n'
        return Site(snapshot, f"/{room}/{place.session_id}", tail).answer(path)
