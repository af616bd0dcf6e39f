"""From commands to changes of files; all or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Protocol

from . import sources
from .commands import AddPage, Command, CreateFile, DeleteFile, Fail, ReplaceText, Slow, UpdateFile
from .paths import BadPath, found, placed

_LONGEST_SUMMARY = 72
_FENCED = re.compile(r"---\n.*?\n---\n", re.DOTALL)
_STRING = re.compile(r'(?<== )"(?:[^"\\\n]|\\.)*"')
_MARKUP = re.compile(r"(<[^>]*>|\{[^}]*\})")
_TITLE = re.compile(r'^const title = "((?:[^"\\]|\\.)*)";$', re.MULTILINE)


class Files(Protocol):
    """The site as it is: paths relative to its root, with `/`."""

    def paths(self) -> Collection[str]: ...

    def read(self, path: str) -> bytes: ...


class CannotDo(Exception):
    """The instruction was understood and cannot be done; the message is for the client."""


@dataclass
class Plan:
    """What an instruction comes to."""

    changes: dict[str, bytes | None] = field(default_factory=dict)
    """New content by path; None deletes."""
    summaries: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """AWS seconds it is to take."""

    @property
    def summary(self) -> str:
        """One line of at most 72 characters, as git likes it."""
        first, *others = self.summaries
        more = f" and {len(others)} more" if others else ""
        room = _LONGEST_SUMMARY - len(more)
        return (first if len(first) <= room else f"{first[: room - 1]}…") + more


def plan(commands: Collection[Command], files: Files) -> Plan:
    """What the commands, one after the other, make of these files. Raises `CannotDo`."""
    drawn = Plan()
    site = _Site(files, drawn.changes)
    for command in commands:
        try:
            drawn.summaries.append(_carried_out(command, site, drawn))
        except BadPath as bad:
            raise CannotDo(str(bad)) from None
    return drawn


class _Site:
    """The files with the changes so far laid over them."""

    def __init__(self, files: Files, changes: dict[str, bytes | None]) -> None:
        self._files = files
        self._changes = changes

    def paths(self) -> set[str]:
        gone = {path for path, content in self._changes.items() if content is None}
        return (set(self._files.paths()) | set(self._changes)) - gone

    def read(self, path: str) -> str:
        content = self._changes.get(path)
        if content is None:
            content = self._files.read(path)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise CannotDo(f"{path} is not a text file") from None

    def write(self, path: str, content: str) -> None:
        self._changes[path] = content.encode()

    def delete(self, path: str) -> None:
        self._changes[path] = None

    def has_layout(self) -> bool:
        return sources.LAYOUT in self.paths()


def _carried_out(command: Command, site: _Site, drawn: Plan) -> str:
    match command:
        case AddPage(title, text):
            path = f"src/pages/{sources.slug(title)}.astro"
            site.write(path, sources.page(path, title, text, layout=site.has_layout()))
            return f'Add page "{title}"'
        case CreateFile(wanted, text):
            path = placed(wanted)
            site.write(path, _source(path, text, sources.title_of(path), site))
            return f"Create {_named(path)}"
        case UpdateFile(target, text):
            path = found(target, site.paths())
            if path.startswith("src/layouts/"):
                raise CannotDo(f"{path} is a layout of every page: change words of it with replace")
            site.write(path, _source(path, text, _title(path, site), site))
            return f"Update {_named(path)}"
        case ReplaceText(target, old, new):
            path = found(target, site.paths())
            site.write(path, _replaced(path, site.read(path), old, new))
            return f"Update {_named(path)}"
        case DeleteFile(target):
            path = found(target, site.paths())
            site.delete(path)
            return f"Delete {_named(path)}"
        case Fail(reason):
            raise CannotDo(reason)
        case Slow(seconds):
            drawn.seconds += seconds
            return f"Take {seconds:g} seconds"


def _source(path: str, text: str | None, title: str, site: _Site) -> str:
    """A whole file; a client's words are escaped wherever markup is read."""
    if path.endswith(".astro"):
        if path.startswith("src/pages/"):
            return sources.page(path, title, text, layout=site.has_layout())
        if path.startswith("src/layouts/"):
            raise CannotDo(f"{path} is a layout; I make pages and components")
        return sources.component(path, text)
    if path.endswith((".html", ".svg", ".xml")):
        return "\n".join(sources.paragraphs(text)) + "\n"
    return f"{text}\n" if text else "\n"


def _replaced(path: str, content: str, old: str, new: str) -> str:
    """Replaces words: in an Astro file the text between the tags and the strings of the frontmatter."""
    if path.endswith((".astro", ".html", ".svg", ".xml")):
        fence = _FENCED.match(content)
        head = fence.group() if fence else ""
        changed = _STRING.sub(lambda match: _in_string(match[0], old, new), head)
        changed += "".join(
            piece if piece.startswith(("<", "{")) else piece.replace(sources.escaped(old), sources.escaped(new))
            for piece in _MARKUP.split(content[len(head) :])
        )
    else:
        changed = content.replace(old, new)
    if changed == content and old != new:
        raise CannotDo(f"{path} does not contain the text to replace")
    return changed


def _in_string(literal: str, old: str, new: str) -> str:
    return literal.replace(sources.js_string(old)[1:-1], sources.js_string(new)[1:-1])


def _title(path: str, site: _Site) -> str:
    """The title a page says it has."""
    if path.endswith(".astro") and (match := _TITLE.search(site.read(path))):
        title = json.loads(f'"{match[1]}"')
        return title if isinstance(title, str) else sources.title_of(path)
    return sources.title_of(path)


def _named(path: str) -> str:
    """A file in a commit's subject: `src/components/Header.astro` is "Header component"."""
    if path.endswith(".astro"):
        name = PurePosixPath(path).stem
        for folder, kind in (("components", "component"), ("pages", "page"), ("layouts", "layout")):
            if path.startswith(f"src/{folder}/"):
                return f"{name} {kind}"
    return path
