"""The preview: a session's pages, whether they can be served, and hot reload."""

from __future__ import annotations

from aiohttp import web

from ..answers import error
from .container import Container

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
    async def page(request: web.Request) -> web.StreamResponse:
        place = await container.place(request)
        container.activity.touch(place)
        room, path = request.path.split("/")[1], request.match_info.get("path", "")
        return await container.preview.page(request, place, room, path)

    async def health(request: web.Request) -> web.Response:
        """200 only when this session's own page can be served, now."""
        place = await container.place(request)
        if problem := await container.preview.problem(place):
            return error(503, f"The session's page cannot be shown: {problem}")
        return web.json_response({"status": "ready", "sessionId": place.session_id})

    async def client_script(request: web.Request) -> web.Response:
        return web.Response(text=_CLIENT_SCRIPT, content_type="text/javascript", charset="utf-8")

    async def hot_reload(request: web.Request) -> web.StreamResponse:
        if "session_id" not in request.match_info and request.query.get("session") is None:
            return await container.hot_reload.serve(request, container.default_branch(), None)
        return await container.preview.hot_reload(request, await container.place(request))

    return [
        web.get("/session/{session_id}/health", health),
        *(web.get(f"/{room}/{{session_id}}{{slash:/?}}", page) for room in ("session", "preview")),
        *(web.get(f"/{room}/{{session_id}}/{{path:.+}}", page) for room in ("session", "preview")),
        web.get("/_astro/hot-reload.js", client_script),
        web.get("/ws/hmr", hot_reload),
        web.get("/ws/hmr/{session_id}", hot_reload),
    ]
