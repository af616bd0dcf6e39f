"""Reads the header section of a mail, well-formed or not, from its raw bytes."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

Header = tuple[str, str]
"""A field's name as written, and its value unfolded to one line."""

_FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+)[ \t]*:(.*)", re.DOTALL)
_END = re.compile(rb"\r?\n\r?\n")


def split(raw: bytes) -> tuple[bytes, bytes]:
    """The header section and the body."""
    if raw.startswith((b"\r\n", b"\n")):
        return b"", raw.partition(b"\n")[2]
    end = _END.search(raw)
    return (raw, b"") if end is None else (raw[: end.start()], raw[end.end() :])


def parse(raw: bytes) -> list[Header]:
    """The fields of the header section, in order. A line that is no field ends the section."""
    fields: list[tuple[bytes, bytes]] = []
    for line in re.split(rb"\r?\n", split(raw)[0]):
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields[-1]
            fields[-1] = name, value + line.replace(b"\t", b" ")
        elif field := _FIELD.fullmatch(line):
            fields.append((field[1], field[2]))
        else:
            break
    return [(name.decode(), value.decode("utf-8", "replace").strip()) for name, value in fields]


def decoded(value: str) -> str:
    """A field's text with RFC 2047 words decoded, or as written when they cannot be."""
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value


def first(fields: list[Header], name: str) -> str | None:
    """The value of the first field of that name, ignoring case."""
    return next((value for given, value in fields if given.lower() == name.lower()), None)


def mailboxes(value: str) -> list[str]:
    """The mailboxes of an address field as written, decoded: split at commas outside quotes, comments and <>."""
    parts: list[str] = []
    current: list[str] = []
    quoted, depth, escaped = False, 0, False
    for char in value:
        if escaped or (quoted and char == "\\"):
            escaped = not escaped
        elif char == '"':
            quoted = not quoted
        elif not quoted and char in "(<":
            depth += 1
        elif not quoted and char in ")>":
            depth = max(0, depth - 1)
        if char == "," and not quoted and not depth:
            parts.append("".join(current))
            current = []
        else:
            current.append(char)
    parts.append("".join(current))
    return [decoded(part.strip()) for part in parts if part.strip()]


def without(head: bytes, names: set[str]) -> bytes:
    """The header section without the fields of these (lower-case) names; all other bytes are unchanged."""
    kept: list[bytes] = []
    dropping = False
    for line in head.split(b"\r\n"):
        if line[:1] not in (b" ", b"\t"):
            field = _FIELD.fullmatch(line)
            dropping = field is not None and field[1].decode().lower() in names
        if not dropping:
            kept.append(line)
    return b"\r\n".join(kept)
