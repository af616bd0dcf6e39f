"""Splits a text into a template and the values that were generated for one run (ids, markers, addresses).

`the page of session TEST_0bd2… of testz8sgzscb@clients.it.example` becomes the template `the page of session
TEST_{id} of test{id}@{domain}` and its three values. Only words with the shape of a generated value become one; other
changed words stay in the template and appear as differences.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..core.ids import DIGITS, LETTERS

ADDRESS, DOMAIN, ACCOUNT, ID, MAIL = "address", "domain", "account", "id", "mail id"
OF_THE_RUN = (ADDRESS, DOMAIN, ACCOUNT)
"""Kinds of values that are constant during a run."""

_SHAPES = (
    ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"),
    (ADDRESS, r"(?:https?|wss?)://[^/\s'\"<>]+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"),
    (MAIL, r"<[^<>@\s]+@[^<>@\s]+>"),
    (DOMAIN, r"(?<=@)[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+"),
    ("uuid", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    (ACCOUNT, r"(?<![0-9a-zA-Z])\d{12}(?![0-9a-zA-Z])"),
    ("hex", r"(?<![0-9a-zA-Z])(?=[a-f]*[0-9])[0-9a-f]{7,64}(?![0-9a-zA-Z])"),
    ("handle", r"(?<![a-z])[a-z]{100,}(?![a-z])"),
    ("marker", rf"[{LETTERS}{DIGITS}]{{8,}}"),
)
_FIND = re.compile("|".join(f"(?P<s{number}>{shape})" for number, (_, shape) in enumerate(_SHAPES)))
_MARKER = re.compile(rf"(?:[{LETTERS}][{LETTERS}{DIGITS}]){{4}}")


@dataclass(frozen=True)
class Text:
    """A text with its template and values."""

    template: str
    values: tuple[tuple[str, str], ...]
    """Kind and value, in the order of the text."""
    text: str


def parse(text: str) -> Text:
    """Splits a text."""
    values: list[tuple[str, str]] = []

    def replaced(found: re.Match[str]) -> str:
        kind = _SHAPES[int(str(found.lastgroup)[1:])][0]
        return _REPLACERS[kind](found[0], values)

    return Text(_FIND.sub(replaced, text), tuple(values), text)


def _time(_: str, __: list[tuple[str, str]]) -> str:
    return "{time}"


def _value(kind: str) -> Callable[[str, list[tuple[str, str]]], str]:
    def take(value: str, values: list[tuple[str, str]]) -> str:
        values.append((kind, value))
        return f"{{{kind}}}"

    return take


def _marker(value: str, values: list[tuple[str, str]]) -> str:
    """Markers end a name: `stvbfhkhw7`, of `testvbfhkhw7`, is `st` and a marker."""
    if not _MARKER.fullmatch(value[-8:]):
        return value
    values.append((ID, value[-8:]))
    return f"{value[:-8]}{{{ID}}}"


_REPLACERS: dict[str, Callable[[str, list[tuple[str, str]]], str]] = {
    "time": _time,
    "uuid": _value(ID),
    "hex": _value(ID),
    "handle": _value(ID),
    "marker": _marker,
    **{kind: _value(kind) for kind in (ADDRESS, DOMAIN, ACCOUNT, MAIL)},
}
