"""SES's template language, a subset of Handlebars.

`{{name}}`, `{{a.b}}`, `{{{name}}}`, `{{#if x}}…{{else}}…{{/if}}`, `{{#unless x}}…{{/unless}}`,
`{{#each list}}…{{this}} {{@index}}…{{/each}}`, `{{! comment}}`. SES escapes nothing, and does not send a template with
missing data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TAG = re.compile(r"\{\{\{\s*(?P<raw>[^{}]+?)\s*\}\}\}|\{\{\s*(?P<tag>[^{}]+?)\s*\}\}")
_MISSING = object()


class TemplateError(Exception):
    """The template is invalid, or refers to missing data."""


def render(template: str, data: Mapping[str, Any]) -> str:
    """The template filled in. Raises `TemplateError`."""
    parts = _split(template)
    text, end = _render(parts, 0, [data], None, show=True)
    if end != len(parts):
        raise TemplateError(f"unexpected {{{{{parts[end][1]}}}}}")
    return text


Part = tuple[str, str]
"""("text", literal) or ("tag", expression)."""


def _split(template: str) -> list[Part]:
    parts: list[Part] = []
    position = 0
    for match in _TAG.finditer(template):
        parts.append(("text", template[position : match.start()]))
        parts.append(("tag", match["raw"] or match["tag"]))
        position = match.end()
    parts.append(("text", template[position:]))
    return parts


def _render(parts: list[Part], start: int, scopes: list[Any], block: str | None, *, show: bool) -> tuple[str, int]:
    """Render up to the end of the block (or its `else`); return the text and that position."""
    out: list[str] = []
    index = start
    while index < len(parts):
        kind, value = parts[index]
        if kind == "text":
            out.append(value if show else "")
        elif value == "else" or value.startswith("/"):
            return "".join(out), index
        elif value.startswith("#"):
            text, index = _block(parts, index, scopes, show=show)
            out.append(text)
        elif not value.startswith("!") and show:
            out.append(_text(_look_up(value, scopes)))
        index += 1
    if block is not None:
        raise TemplateError(f"{{{{#{block}}}}} is never closed")
    return "".join(out), index


def _block(parts: list[Part], index: int, scopes: list[Any], *, show: bool) -> tuple[str, int]:
    name, _, argument = parts[index][1][1:].partition(" ")
    if name not in ("if", "unless", "each"):
        raise TemplateError(f"{{{{#{name}}}}} is not a block SES knows")
    value = _look_up(argument.strip(), scopes, missing=None) if show else None
    body = index + 1
    if name == "each":
        items = list(value.values() if isinstance(value, Mapping) else value or ())
        rendered = [
            _render(parts, body, [*scopes, {"this": item, "@index": count}, item], name, show=show)
            for count, item in enumerate(items)
        ]
        chosen = bool(items)
        text = "".join(one for one, _ in rendered)
    else:
        chosen = bool(value) == (name == "if")
        text = ""
    first, end = _render(parts, body, scopes, name, show=show and chosen and name != "each")
    text += first
    if parts[end][1] == "else":
        other, end = _render(parts, end + 1, scopes, name, show=show and not chosen)
        text += other
    if parts[end][1] != f"/{name}":
        raise TemplateError(f"{{{{#{name}}}}} is closed by {{{{{parts[end][1]}}}}}")
    return text, end


def _look_up(path: str, scopes: list[Any], missing: Any = _MISSING) -> Any:
    head, *rest = path.split(".")
    for scope in reversed(scopes):
        if isinstance(scope, Mapping) and head in scope:
            value = scope[head]
            for name in rest:
                value = value.get(name, _MISSING) if isinstance(value, Mapping) else _MISSING
            if value is not _MISSING:
                return value
    if missing is _MISSING:
        raise TemplateError(f"Attribute '{path}' is not present in the rendering data.")
    return missing


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
