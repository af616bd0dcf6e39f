"""Where the files of an instruction lie in the site; nothing lies outside of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePosixPath

from .sources import slug

EXTENSIONS = (".astro", ".css", ".html", ".json", ".md", ".svg", ".txt", ".xml")
"""What may be written. Not scripts and configuration: they would run when the site is built."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_BELOW_SRC = ("components", "layouts", "pages", "styles")


class BadPath(Exception):
    """A path the agent does not write to; the message says why."""


def placed(path: str) -> str:
    """The path in the site: `components/Header.astro` lies below src/, a bare `robots.txt` below public/."""
    parts = PurePosixPath(path).parts
    if len(path) > 200 or not parts or not all(map(_NAME.fullmatch, parts)):
        raise BadPath(
            f"{_shown(path)} is not a path in the site: its parts must be letters, digits, '.', '_' or '-', "
            f"and it must neither start with '/' nor climb with '..'"
        )
    if not parts[-1].endswith(EXTENSIONS):
        raise BadPath(f"{_shown(path)} is of a type I do not write; I write {', '.join(EXTENSIONS)}")
    if len(parts) == 1:
        name = parts[0]
        if not name.endswith(".astro"):
            return f"public/{name}"
        return f"src/{'components' if name[0].isupper() else 'pages'}/{name}"
    if parts[0] in _BELOW_SRC:
        parts = ("src", *parts)
    if parts[0] not in ("src", "public"):
        raise BadPath(f"{_shown(path)} lies neither below src/ nor below public/, where a site's files are")
    return "/".join(parts)


def found(target: str, paths: Collection[str]) -> str:
    """The existing file that a path, a file's name or a page's title means."""
    if target in paths:
        return target
    try:
        if (path := placed(target)) in paths:
            return path
    except BadPath:
        if "/" in target:
            raise
    if (page := f"src/pages/{slug(target)}.astro") in paths:
        return page
    same_name = sorted(path for path in paths if path.startswith("src/") and PurePosixPath(path).name == target)
    if len(same_name) == 1:
        return same_name[0]
    if same_name:
        raise BadPath(f"{_shown(target)} could be any of {', '.join(same_name)}; name one with its folder")
    raise BadPath(f"There is no file {_shown(target)} in the site")


def _shown(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:80]}…"
