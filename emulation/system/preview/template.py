"""Parses the template of an Astro file into a tree. By hand, in one pass, with line numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import PreviewError
from .expressions import BadExpression, Expression, Quoted, parse


@dataclass
class Text:
    """Markup that is passed through unchanged."""

    markup: str


@dataclass
class Shown:
    """`{expression}`"""

    expression: Expression
    line: int


@dataclass
class Element:
    """An HTML element, a component (its name begins with a capital), a slot, or a fragment (no name)."""

    name: str
    line: int
    attributes: dict[str, Expression] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    @property
    def is_component(self) -> bool:
        return self.name[:1].isupper() and self.name != "Fragment"


Node = Text | Shown | Element

DEEPEST = 100
"""Elements inside each other; no page needs more, and the renderer recurses."""
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
_RAW = ("script", "style")
_OPEN = re.compile(r"<([A-Za-z][\w.:-]*)?")
_CLOSE = re.compile(r"</([A-Za-z][\w.:-]*)?\s*>")
_DECLARATION = re.compile(r"<!--.*?-->|<![A-Za-z][^>]*>", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([^\s=>/{}"'<]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|(\{)|(`[^`]*`)))?""")
_DIRECTIVES = ("set:", "class:", "client:", "define:", "transition:", "server:")
_NEXT = re.compile(r"[<{]")
_SPACES = re.compile(r"\s*")


def parse_template(path: str, source: str, first_line: int) -> list[Node]:
    """Raises `PreviewError` where the source is not of the subset."""
    return _Parser(path, source, first_line).nodes()


class _Parser:
    def __init__(self, path: str, source: str, first_line: int) -> None:
        self._path = path
        self._source = source
        self._first_line = first_line
        self._at = 0
        self._root = Element("", first_line)
        self._open = [self._root]

    def nodes(self) -> list[Node]:
        while self._at < len(self._source):
            match = _NEXT.search(self._source, self._at)
            end = match.start() if match else len(self._source)
            self._text(end)
            if match and match[0] == "{":
                self._expression()
            elif match:
                self._markup()
        if len(self._open) > 1:
            raise self._error(f"<{self._open[-1].name}> is not closed", self._open[-1].line)
        return self._root.children

    def _markup(self) -> None:
        if match := _DECLARATION.match(self._source, self._at):
            self._text(match.end())
        elif match := _CLOSE.match(self._source, self._at):
            self._close(match[1] or "")
            self._at = match.end()
        elif match := _OPEN.match(self._source, self._at):
            if not match[1] and not self._source.startswith("<>", self._at):
                self._text(self._at + 1)
                return
            self._element(match)

    def _element(self, match: re.Match[str]) -> None:
        element = Element(match[1] or "", self._line())
        self._at = match.end()
        closed = self._attributes(element)
        self._open[-1].children.append(element)
        if element.name in _RAW:
            self._raw(element, closed)
        elif not closed and element.name not in VOID:
            self._open.append(element)
            if len(self._open) > DEEPEST:
                raise self._error(f"more than {DEEPEST} elements inside each other")

    def _close(self, name: str) -> None:
        if name in VOID:
            return
        if len(self._open) == 1 or self._open[-1].name != name:
            expected = f"</{self._open[-1].name}>" if len(self._open) > 1 else "no closing tag"
            raise self._error(f"</{name}> where {expected} is expected")
        self._open.pop()

    def _attributes(self, element: Element) -> bool:
        """Reads up to `>`; True when the tag closes itself."""
        while True:
            self._at = self._after_spaces()
            if self._source.startswith("/>", self._at):
                self._at += 2
                return True
            if self._source.startswith(">", self._at):
                self._at += 1
                return False
            if self._source.startswith("{", self._at):
                name = self._braces().strip()
                if name.startswith("..."):
                    raise self._error(f"the preview does not spread attributes: {{{name[:80]}}}")
                element.attributes[name] = self._parsed(name)
                continue
            match = _ATTRIBUTE.match(self._source, self._at)
            if match is None:
                raise self._error(f"the tag <{element.name} does not end")
            self._attribute(element, match)

    def _attribute(self, element: Element, match: re.Match[str]) -> None:
        name = match[1]
        if name.startswith(_DIRECTIVES):
            raise self._error(f"the preview does not support the directive {name}")
        if match[4]:
            self._at = match.end() - 1
            element.attributes[name] = self._parsed(self._braces())
            return
        self._at = match.end()
        if match[5]:
            element.attributes[name] = self._parsed(match[5])
        else:
            value = next((value for value in (match[2], match[3]) if value is not None), True)
            element.attributes[name] = Quoted(value)

    def _raw(self, element: Element, closed: bool) -> None:
        """The content of a script or style element is not looked at."""
        if closed:
            return
        end = self._source.find(f"</{element.name}", self._at)
        if end < 0:
            raise self._error(f"<{element.name}> is not closed", element.line)
        element.children.append(Text(self._source[self._at : end]))
        self._at = self._source.find(">", end) + 1 or len(self._source)

    def _expression(self) -> None:
        line = self._line()
        source = self._braces().strip()
        if source and not (source.startswith("/*") and source.endswith("*/")):
            self._open[-1].children.append(Shown(self._parsed(source), line))

    def _braces(self) -> str:
        """The text between `{` at the cursor and its `}`; braces in strings and template literals do not count."""
        start = self._at + 1
        depth, quote, at = 1, "", start
        while at < len(self._source):
            character = self._source[at]
            if quote:
                at += character == "\\"
                quote = "" if character == quote else quote
            elif character in "\"'`":
                quote = character
            else:
                depth += (character == "{") - (character == "}")
                if not depth:
                    self._at = at + 1
                    return self._source[start:at]
            at += 1
        raise self._error("{ is not closed")

    def _parsed(self, source: str) -> Expression:
        try:
            return parse(source)
        except BadExpression as bad:
            raise self._error(str(bad)) from None

    def _text(self, end: int) -> None:
        if end > self._at:
            self._open[-1].children.append(Text(self._source[self._at : end]))
            self._at = end

    def _after_spaces(self) -> int:
        match = _SPACES.match(self._source, self._at)
        return match.end() if match else self._at

    def _line(self) -> int:
        return self._first_line + self._source.count("\n", 0, self._at)

    def _error(self, message: str, line: int | None = None) -> PreviewError:
        return PreviewError(self._path, line or self._line(), message)
