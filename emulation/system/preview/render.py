"""Renders documents: props in, slots filled, HTML out."""

from __future__ import annotations

import html
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from . import frontmatter
from .errors import PreviewError
from .expressions import BadExpression, Expression, Literal, Quoted, Scope, evaluate, text
from .template import VOID, Element, Node, Shown, Text, parse_template

_DEEPEST_COMPONENT = 20
_LINKS = ("href", "src", "action", "poster")
_COMPILER_ONLY = ("slot", "is:global", "is:inline", "is:raw")


@dataclass(frozen=True)
class Document:
    """One parsed `.astro` file."""

    path: str
    front: frontmatter.Frontmatter
    nodes: list[Node]


@lru_cache(maxsize=512)
def document(path: str, source: str) -> Document:
    """Parses a file; raises `PreviewError`."""
    front, template, line = frontmatter.split(source)
    return Document(path, frontmatter.read(path, front), parse_template(path, template, line))


@dataclass(frozen=True)
class Renderer:
    """Renders the files of one site."""

    source: Callable[[str], str | None]
    """The text of a file of the site, None when there is none."""
    base: str
    """Where the site's `/` is, for example `/session/<id>`: links from the root are put below it."""

    def page(self, path: str) -> str:
        """The HTML of a page. Raises `PreviewError`."""
        return self._file(path, {}, {}, depth=0)

    def _file(self, path: str, props: Mapping[str, object], slots: Mapping[str, str], depth: int) -> str:
        source = self.source(path)
        if source is None:
            raise PreviewError(path, 1, "there is no such file")
        return _Rendering(self, document(path, source), props, slots, depth).html()

    def component(self, path: str, props: Mapping[str, object], slots: Mapping[str, str], depth: int) -> str:
        return self._file(path, props, slots, depth)


class _Rendering:
    """One use of one file."""

    def __init__(
        self, renderer: Renderer, file: Document, props: Mapping[str, object], slots: Mapping[str, str], depth: int
    ) -> None:
        self._renderer = renderer
        self._file = file
        self._slots = slots
        self._depth = depth
        scope: dict[str, object] = {"Astro": {"props": props}}
        self._scope: Scope = scope
        for name, expression in file.front.constants:
            scope[name] = self._value(expression, 1)

    def html(self) -> str:
        return self._nodes(self._file.nodes)

    def _nodes(self, nodes: list[Node]) -> str:
        return "".join(map(self._node, nodes))

    def _node(self, node: Node) -> str:
        match node:
            case Text(markup):
                return markup
            case Shown(expression, line):
                return html.escape(self._text(expression, line))
            case Element():
                return self._element(node)

    def _element(self, element: Element) -> str:
        if element.name == "slot":
            return self._slot(element)
        if element.is_component:
            return self._component(element)
        inner = self._nodes(element.children)
        if element.name in ("", "Fragment"):
            return inner
        tag = f"<{element.name}{self._html_attributes(element)}>"
        return tag if element.name in VOID else f"{tag}{inner}</{element.name}>"

    def _slot(self, element: Element) -> str:
        name = self._literal(element, "name") or "default"
        content = self._slots.get(name)
        return self._nodes(element.children) if content is None else content

    def _component(self, element: Element) -> str:
        module = self._file.front.imports.get(element.name)
        if module is None:
            raise self._error(element.line, f"<{element.name}> is not imported")
        if not module.startswith(".") or not module.endswith(".astro"):
            raise self._error(element.line, f'<{element.name}> comes from "{module}"; the preview shows .astro files')
        if self._depth >= _DEEPEST_COMPONENT:
            raise self._error(element.line, f"components more than {_DEEPEST_COMPONENT} deep: does one contain itself?")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self._file.path), module))
        props = {
            name: self._value(expression, element.line)
            for name, expression in element.attributes.items()
            if name != "slot"
        }
        if self._renderer.source(path) is None:
            raise self._error(element.line, f'<{element.name}> is imported from "{module}", and there is no {path}')
        return self._renderer.component(path, props, self._filled(element), self._depth + 1)

    def _filled(self, element: Element) -> dict[str, str]:
        """The children of a component by the slot they go to; blanks alone leave a slot empty."""
        slots: dict[str, str] = {}
        for child in element.children:
            name = (self._literal(child, "slot") if isinstance(child, Element) else None) or "default"
            slots[name] = slots.get(name, "") + self._node(child)
        return {name: content for name, content in slots.items() if content.strip()}

    def _literal(self, element: Element, name: str) -> str | None:
        expression = element.attributes.get(name)
        if expression is None:
            return None
        if isinstance(expression, Literal) and isinstance(expression.value, str):
            return expression.value
        raise self._error(element.line, f"the attribute {name} of <{element.name}> must be a plain text")

    def _html_attributes(self, element: Element) -> str:
        return "".join(
            self._html_attribute(name, expression, element.line)
            for name, expression in element.attributes.items()
            if name not in _COMPILER_ONLY
        )

    def _html_attribute(self, name: str, expression: Expression, line: int) -> str:
        value = self._value(expression, line)
        if value is None or value is False:
            return ""
        if value is True:
            return f" {name}"
        shown = self._text(expression, line)
        if name in _LINKS and shown.startswith("/") and not shown.startswith("//"):
            shown = self._renderer.base + shown
        if isinstance(expression, Quoted):
            return f' {name}="{shown}"' if '"' not in shown else f" {name}='{shown}'"
        return f' {name}="{html.escape(shown)}"'

    def _text(self, expression: Expression, line: int) -> str:
        try:
            return text(evaluate(expression, self._scope))
        except BadExpression as bad:
            raise self._error(line, str(bad)) from None

    def _value(self, expression: Expression, line: int) -> object:
        try:
            return evaluate(expression, self._scope)
        except BadExpression as bad:
            raise self._error(line, str(bad)) from None

    def _error(self, line: int, message: str) -> PreviewError:
        return PreviewError(self._file.path, line, message)
