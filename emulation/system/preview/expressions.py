"""The expressions of the subset: names, members, literals, template literals, and `a ?? b`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | float | bool | None
Scope = Mapping[str, object]


class BadExpression(Exception):
    """Not an expression of the subset, or an undefined name."""


@dataclass(frozen=True)
class Literal:
    value: Scalar


@dataclass(frozen=True)
class Quoted(Literal):
    """The value of a quoted attribute: markup, which is passed through unchanged."""


@dataclass(frozen=True)
class Name:
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    pieces: tuple[Expression, ...]


@dataclass(frozen=True)
class Either:
    """`a ?? b`: the first of them that is neither null nor undefined."""

    options: tuple[Expression, ...]


Expression = Literal | Name | Template | Either

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<template>`(?:[^`\\]|\\.)*`)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*)
    )\s*""",
    re.VERBOSE | re.DOTALL,
)
_HOLE = re.compile(r"\$\{([^{}]*)\}")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\n)|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_KEYWORDS: Mapping[str, Scalar] = {"true": True, "false": False, "null": None, "undefined": None}


def parse(source: str) -> Expression:
    """Raises `BadExpression`."""
    options: list[Expression] = []
    at = 0
    while True:
        match = _TOKEN.match(source, at)
        if match is None:
            raise BadExpression(f"the preview does not evaluate {{{_shown(source)}}}")
        options.append(_operand(match))
        at = match.end()
        if at == len(source):
            return options[0] if len(options) == 1 else Either(tuple(options))
        if not source.startswith("??", at):
            raise BadExpression(f"the preview does not evaluate {{{_shown(source)}}}")
        at += 2


def evaluate(expression: Expression, scope: Scope) -> object:
    """Raises `BadExpression` for a name that the scope does not have."""
    match expression:
        case Literal(value):
            return value
        case Name(parts):
            return _looked_up(parts, scope)
        case Template(pieces):
            return "".join(text(evaluate(piece, scope)) for piece in pieces)
        case Either(options):
            values = (evaluate(option, scope) for option in options)
            return next((found for found in values if found is not None), None)


def text(value: object) -> str:
    """As Astro writes a value into a page: nothing for null and false."""
    if value is None or value is False:
        return ""
    if value is True:
        return "true"
    if isinstance(value, float):
        return f"{value:g}" if not value.is_integer() else str(int(value))
    if isinstance(value, str):
        return value
    raise BadExpression("an object cannot be shown as text")


def _operand(match: re.Match[str]) -> Expression:
    if string := match["string"]:
        return Literal(unescaped(string[1:-1]))
    if template := match["template"]:
        return _template(template[1:-1])
    if number := match["number"]:
        return Literal(float(number))
    name = match["name"]
    if name in _KEYWORDS:
        return Literal(_KEYWORDS[name])
    return Name(tuple(name.replace("?.", ".").split(".")))


def _template(body: str) -> Expression:
    pieces: list[Expression] = []
    for position, piece in enumerate(_HOLE.split(body)):
        pieces.append(parse(piece) if position % 2 else Literal(unescaped(piece)))
    return Template(tuple(pieces))


def unescaped(body: str) -> str:
    """The value of a JavaScript string literal's body."""
    joined = _ESCAPE.sub(_unescaped_one, body)
    # Two \uXXXX halves make one character.
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescaped_one(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return "" if match[4] else _ESCAPED.get(match[5], match[5])


def _looked_up(parts: tuple[str, ...], scope: Scope) -> object:
    first, *members = parts
    if first not in scope:
        raise BadExpression(f"{first} is not defined")
    value = scope[first]
    for member in members:
        if not isinstance(value, Mapping):
            raise BadExpression(f"{'.'.join(parts)}: there is no {member} in a {type(value).__name__}")
        value = value.get(member)
    return value


def _shown(source: str) -> str:
    stripped = " ".join(source.split())
    return stripped if len(stripped) <= 80 else f"{stripped[:80]}…"
