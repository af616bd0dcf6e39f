"""Reads an instruction: one command a line, in the small grammar of GRAMMAR.md. A descent by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .commands import AddPage, Command, CreateFile, DeleteFile, Fail, ReplaceText, Slow, UpdateFile
from .reader import Reader, normalised

LONGEST_WAIT = 3600.0
"""AWS seconds that `slow` may take."""

_WITH = ("with", "saying", "containing")
_KINDS = ("file", "component", "layout", "page", "stylesheet")
_CAPABILITIES = (
    'add a page called "Title" (with "text"); create a <path> file (with "text"); update <path> with "text"; '
    'replace "old" with "new" in <path>; delete <path>; slow <seconds>; fail'
)


class NotUnderstood(Exception):
    """The agent does not understand; the message quotes the line and says what it does understand."""


def parse(instruction: str) -> list[Command]:
    """The commands of an instruction, in order, at least one. Raises `NotUnderstood`."""
    reader = Reader(normalised(instruction))
    commands: list[Command] = []
    while not reader.at_end():
        start = reader.mark()
        command = _command(reader)
        if command is None or not reader.ends():
            number, line = reader.line_of(start)
            shown = line.strip() if len(line) <= 120 else f"{line.strip()[:120]}…"
            raise NotUnderstood(f"I do not understand line {number}: {shown} — I understand: {_CAPABILITIES}.")
        commands.append(command)
    if not commands:
        raise NotUnderstood(f"There is no instruction. I understand: {_CAPABILITIES}.")
    return commands


def _command(reader: Reader) -> Command | None:
    if reader.word("can", "could"):
        reader.word("you")
    reader.word("please")
    verb = reader.word(*_VERBS)
    return _VERBS[verb](reader) if verb else None


def _creation(reader: Reader) -> Command | None:
    reader.word("a", "an", "the")
    reader.word("new")
    start = reader.mark()
    if reader.word("page") and (page := _page(reader)):
        return page
    reader.back_to(start)
    path = _target(reader)
    return CreateFile(path, _text(reader)) if path and "." in path else None


def _page(reader: Reader) -> AddPage | None:
    called = reader.word("called", "named", "titled")
    title = reader.quotation(*_WITH)
    if title is None:
        title = reader.until(*_WITH).rstrip(".!?;,")
        if title and not called:
            title = f"Page {title}"
    title = " ".join(title.split())
    return AddPage(title, _text(reader)) if title else None


def _update(reader: Reader) -> Command | None:
    target = _target(reader, "with", "to", "replace", "saying")
    if target is None:
        return None
    reader.symbol(":")
    if reader.word("replace"):
        return _replaced(reader, target)
    text = _text(reader)
    return UpdateFile(target, text) if text else None


def _replacement(reader: Reader) -> Command | None:
    return _replaced(reader, None)


def _replaced(reader: Reader, target: str | None) -> Command | None:
    old = reader.quotation("with", "by")
    if not old or not reader.word("with", "by"):
        return None
    new = reader.quotation("in", "on") if target is None else reader.quotation()
    if new is None:
        return None
    if target is None:
        target = _target(reader) if reader.word("in", "on") else None
    return ReplaceText(target, old, new) if target else None


def _deletion(reader: Reader) -> Command | None:
    target = _target(reader)
    return DeleteFile(target) if target else None


def _failure(reader: Reader) -> Command:
    reader.symbol(":")
    return Fail(reader.rest_of_line() or "It was asked to fail.")


def _slowness(reader: Reader) -> Command | None:
    token = reader.token() or ""
    if not token.replace(".", "", 1).isdecimal() or not token.isascii():
        return None
    reader.word("seconds", "second", "s")
    seconds = float(token)
    return Slow(seconds) if seconds <= LONGEST_WAIT else None


def _target(reader: Reader, *followers: str) -> str | None:
    """A path, a file's name or a page's title, with or without the kind of file before or behind it."""
    reader.word("the")
    if reader.word(*_KINDS):
        reader.word("called", "named", "titled")
    target = reader.quotation(*followers, *_WITH, *_KINDS) or reader.token()
    reader.word(*_KINDS)
    return target


def _text(reader: Reader) -> str | None:
    """What comes after `with`: a quotation, or the rest of the line; after a colon at its end, all the rest."""
    if not reader.word(*_WITH, "to"):
        return None
    start = reader.mark()
    reader.word("the", "this")
    reader.word("new")
    reader.word("text", "content", "contents", "words")
    colon = reader.symbol(":")
    if reader.at_line_end():
        if colon:
            return reader.remainder() or None
        reader.back_to(start)
    text = reader.quotation()
    return reader.rest_of_line() if text is None else text


_VERBS: Mapping[str, Callable[[Reader], Command | None]] = {
    "add": _creation,
    "create": _creation,
    "make": _creation,
    "update": _update,
    "change": _update,
    "edit": _update,
    "replace": _replacement,
    "delete": _deletion,
    "remove": _deletion,
    "fail": _failure,
    "slow": _slowness,
}
