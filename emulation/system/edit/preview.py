"""The seam between the edit container and what shows its sessions' pages."""

from __future__ import annotations

from typing import Protocol

from aiohttp import web

from .directory import Place


class Preview(Protocol):
    """Two show pages: `builtin.py`, which needs nothing, and `astro/`, which is the real thing and needs Node."""

    name: str
    """What it says of itself in the header `X-Preview` of each page: `builtin`, or `astro` and its version."""

    async def prepare(self) -> None:
        """Do what the first page would otherwise wait for."""

    async def page(self, request: web.Request, place: Place, room: str, path: str) -> web.StreamResponse:
        """Answer with the page at `path` below the site's root, which is seen at `/{room}/{session}/`.

        Raises `Refused` when the session has no files yet, or they cannot be read.
        """

    async def problem(self, place: Place) -> str | None:
        """Why the session's own page cannot be shown now; None when it can. Raises as `page` does."""

    async def hot_reload(self, request: web.Request, place: Place) -> web.StreamResponse:
        """Keep a socket on which Vite's words tell a browser of a session's changes."""

    def notice(self, place: Place) -> None:
        """The session's branch has just moved, by this task's own work."""

    async def close(self) -> None:
        """Send all browsers away; they will come back to another task."""
