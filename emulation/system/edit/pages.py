"""The preview: a session's pages, whether they can be served, and hot reload."""

from __future__ import annotations

import html
from urllib.parse import quote

from aiohttp import web

from emulation.system.answers import Refused, error
from emulation.system.edit.container import Container
from emulation.system.edit.directory import Place
from emulation.system.edit.git import GitError
from emulation.system.edit.hot_reload import Branch
from emulation.system.preview import Answer, Site

_NOT_READY = "The session's workspace does not exist yet"

_CLIENT_SCRIPT = """\
// Reloads this page when the session's branch has a new commit.
const session = new URL(import.meta.url).searchParams.get("session");
const scheme = location.protocol === "https:" ? "wss" : "ws";
let wait = 500;

function listen() {
  const socket = new WebSocket(`${scheme}://${location.host}/ws/hmr?session=${session}`, "vite-hmr");
  socket.onopen = () => { wait = 500; };
  socket.onmessage = ({ data }) => {
    const { type } = JSON.parse(data);
    if (type === "full-reload" || type === "update") location.reload();
  };
  socket.onclose = () => {
    setTimeout(listen, wait);
    wait = Math.min(wait * 2, 30000);
  };
}

listen();
"""


def routes(container: Container) -> list[web.RouteDef]:
    async def page(request: web.Request) -> web.Response:
        place = await container.place(request)
        answer = await _answer(place, request.path.split("/")[1], request.match_info.get("path", ""))
        container.activity.touch(place)
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        response.headers["Content-Type"] = answer.content_type
        return response

    async def health(request: web.Request) -> web.Response:
        """200 only when this session's own page can be served, now."""
        place = await container.place(request)
        answer = await _answer(place, "session", "")
        if answer.status != 200:
            return error(503, f"The session's page cannot be shown: {answer.source}")
        return web.json_response({"status": "ready", "sessionId": place.session_id})

    async def _answer(place: Place, room: str, path: str) -> Answer:
        try:
            snapshot = await container.projects.snapshot(place.client_id, place.user_id, place.branch)
        except GitError as git_error:
            raise Refused(503, f"The workspace cannot be read: {git_error}") from None
        if snapshot is None:
            raise Refused(503, _NOT_READY)
        script = f"/_astro/hot-reload.js?session={quote(place.session_id)}"
        tail = f'<script type="module" src="{html.escape(script)}"></script>\n'
        return Site(snapshot, f"/{room}/{place.session_id}", tail).answer(path)

    async def client_script(request: web.Request) -> web.Response:
        return web.Response(text=_CLIENT_SCRIPT, content_type="text/javascript", charset="utf-8")

    async def hot_reload(request: web.Request) -> web.StreamResponse:
        if request.query.get("session") is None:
            return await container.hot_reload.serve(request, container.default_branch(), None)
        place = await container.place(request)
        branch = Branch(place.client_id, place.user_id, place.branch)
        return await container.hot_reload.serve(request, branch, place)

    return [
        web.get("/session/{session_id}/health", health),
        *(web.get(f"/{room}/{{session_id}}{{slash:/?}}", page) for room in ("session", "preview")),
        *(web.get(f"/{room}/{{session_id}}/{{path:.+}}", page) for room in ("session", "preview")),
        web.get("/_astro/hot-reload.js", client_script),
        web.get("/ws/hmr", hot_reload),
    ]
