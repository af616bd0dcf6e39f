"""Parses metric math expressions.

text --parse--> Node --arithmetic.evaluate(Scope)--> number | Series | list of Series
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


class ExpressionError(Exception):
    """The expression cannot be parsed or computed; the message says where and why."""


@dataclass(frozen=True)
class Name:
    id: str


@dataclass(frozen=True)
class Array:
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


Node: TypeAlias = float | str | Name | Array | Call


_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<symbol>(?:AND|OR)\b|&&|\|\||[<>=!]=|[-+*/^<>()\[\],])"
    r"|(?P<word>\w+)|(?P<text>\"[^\"]*\"|'[^']*'))"
)
_LEVELS = ("||", "&&", "== !=", "< > <= >=", "+ -", "* /")
_PRECEDENCE = {symbol: level for level, symbols in enumerate(_LEVELS, 1) for symbol in symbols.split()} | {"^": 8}
_UNARY = 7
_WORDS = {"AND": "&&", "OR": "||"}


def parse(text: str) -> Node:
    """The expression as a tree. Raises `ExpressionError`."""
    return _Parser(text).whole()


def names(node: Node) -> set[str]:
    """The ids an expression mentions."""
    return {each.id for each in _walk(node) if isinstance(each, Name)}


def functions(node: Node) -> set[str]:
    """The functions and operators it uses."""
    return {each.function for each in _walk(node) if isinstance(each, Call)}


def _walk(node: Node) -> Iterator[Node]:
    yield node
    children = node.arguments if isinstance(node, Call) else node.items if isinstance(node, Array) else ()
    for child in children:
        yield from _walk(child)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise ExpressionError(f"Unexpected character at position {at + 1} of '{text}'")
            kind = str(match.lastgroup)
            token = match[kind][1:-1] if kind == "text" else match[kind]
            self._tokens.append((kind, _WORDS.get(token, token) if kind == "symbol" else token))
            at = match.end()
        self._at = 0

    def whole(self) -> Node:
        node = self._expression(0)
        if self._at < len(self._tokens):
            raise ExpressionError(f"Unexpected '{self._tokens[self._at][1]}' in '{self._text}'")
        return node

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _take(self, *expected: str) -> tuple[str, str]:
        token = self._peek()
        if token[0] == "end" or (expected and token != ("symbol", expected[0])):
            wanted = f", expected '{expected[0]}'" if expected else ""
            raise ExpressionError(f"Unexpected {token[1]} in '{self._text}'{wanted}")
        self._at += 1
        return token

    def _expression(self, above: int) -> Node:
        left = self._operand()
        while True:
            kind, symbol = self._peek()
            precedence = _PRECEDENCE.get(symbol, 0) if kind == "symbol" else 0
            if precedence <= above:
                return left
            self._take()
            left = Call(symbol, (left, self._expression(precedence)))

    def _operand(self) -> Node:
        kind, token = self._take()
        if kind == "number":
            return float(token)
        if kind == "text":
            return token
        if kind == "word":
            if self._peek() == ("symbol", "("):
                self._take()
                return Call(token.upper(), self._list(")"))
            return Name(token)
        if token == "-":  # noqa: S105 - a name, not a secret
            return Call("-", (0.0, self._expression(_UNARY)))
        if token == "(":  # noqa: S105 - a name, not a secret
            node = self._expression(0)
            self._take(")")
            return node
        if token == "[":  # noqa: S105 - a name, not a secret
            return Array(self._list("]"))
        raise ExpressionError(f"Unexpected '{token}' in '{self._text}'")

    def _list(self, closing: str) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._peek() != ("symbol", closing):
            if items:
                self._take(",")
            items.append(self._expression(0))
        self._take(closing)
        return tuple(items)
