"""Answers paths of a site: pages rendered, files of public/ as they are."""

from __future__ import annotations

import html
import mimetypes
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from .errors import PreviewError
from .render import Renderer

_NOT_FOUND_PAGE = "src/pages/404.astro"


class Files(Protocol):
    """The files of a site: paths relative to its root, with `/`."""

    def paths(self) -> Collection[str]: ...

    def read(self, path: str) -> bytes: ...


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes
    source: str | None = None
    """The file it was made from."""


class Site:
    """A site as its files have it at this moment."""

    def __init__(self, files: Files, base: str, tail: str = "") -> None:
        """`base` is where the site's root is served; `tail` is markup put at the end of every page's body."""
        self._files = files
        self._renderer = Renderer(self._source, base)
        self._tail = tail

    def answer(self, path: str) -> Answer:
        """What a browser gets for a path below the site's root; never raises for what is in the site."""
        path = path.strip("/")
        try:
            if page := self._page_for(path):
                return self._rendered(page, 200)
            if (public := f"public/{path}") in self._files.paths():
                return Answer(200, _content_type(path), self._files.read(public), public)
            if _NOT_FOUND_PAGE in self._files.paths():
                return self._rendered(_NOT_FOUND_PAGE, 404)
        except PreviewError as error:
            return _error_page(error, self._tail)
        body = f"<!doctype html>\n<title>404</title>\n<h1>404</h1>\n<p>There is no page /{html.escape(path)}</p>\n"
        return Answer(404, "text/html; charset=utf-8", (body + self._tail).encode())

    def _page_for(self, path: str) -> str | None:
        stem = f"src/pages/{path}" if path else "src/pages/index"
        for candidate in (f"{stem}.astro", f"src/pages/{path}/index.astro"):
            if candidate in self._files.paths():
                return candidate
        for other in (f"{stem}.md", f"{stem}.mdx", f"{stem}.html", f"{stem}.ts", f"{stem}.js"):
            if other in self._files.paths():
                raise PreviewError(other, 1, "the preview shows .astro pages only")
        return None

    def _rendered(self, page: str, status: int) -> Answer:
        markup = self._renderer.page(page)
        if not markup.lstrip().lower().startswith("<!doctype"):
            markup = f"<!doctype html>\n{markup}"
        end = markup.rfind("</body>")
        markup = markup[:end] + self._tail + markup[end:] if end >= 0 else markup + self._tail
        return Answer(status, "text/html; charset=utf-8", markup.encode("utf-8", "replace"), page)

    def _source(self, path: str) -> str | None:
        return self._files.read(path).decode("utf-8", "replace") if path in self._files.paths() else None


def _content_type(path: str) -> str:
    guessed, _ = mimetypes.guess_type(path)
    kind = guessed or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") or kind == "image/svg+xml" else kind


def _error_page(error: PreviewError, tail: str) -> Answer:
    place = html.escape(f"{error.path}:{error.line}")
    body = (
        f"<!doctype html>\n<title>Cannot show {place}</title>\n<body>\n<h1>This page cannot be shown</h1>\n"
        f"<p><code>{place}</code></p>\n<p>{html.escape(error.message)}</p>\n{tail}</body>\n"
    )
    return Answer(500, "text/html; charset=utf-8", body.encode("utf-8", "replace"), error.path)
