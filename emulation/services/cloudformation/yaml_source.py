"""Parses template text: YAML with CloudFormation's short forms, or JSON.

Mappings are returned as `Block`s with their line, for error messages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from ...core.nesting import DEEPEST, json_too_deep
from .errors import ValidationError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where installed: ten times faster, the same nodes."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NULL, _BOOL, _INT, _FLOAT = (f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float"))
_TRUE = ("true", "yes", "on")
_TOO_DEEP = f"the template is nested deeper than {DEEPEST} levels"

SHORT_FORMS = {
    f"!{name}": f"Fn::{name}"
    for name in (
        "Base64", "Cidr", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join", "Select", "Split", "Sub",
        "And", "Equals", "Not", "Or", "Transform",
    )
} | {"!Ref": "Ref", "!Condition": "Condition"}  # fmt: skip


class Block(dict[str, Any]):
    """A mapping of the template; `line` is where it begins, None in JSON."""

    line: int | None = None


def parse(text: str) -> Any:
    """The value of a template's text. Raises `ValidationError` with line and column for text that is neither
    YAML nor JSON, and for what CloudFormation does not take: aliases, merge keys, nulls, duplicate keys; and for a
    template nested deeper than `DEEPEST`."""
    return _json(text) if text.lstrip().startswith("{") else _yaml(text)


def _json(text: str) -> Any:
    if json_too_deep(text.encode()):
        raise ValidationError(f"Template format error: {_TOO_DEEP}")
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"Template format error: JSON not well-formed. (line {error.lineno}, column {error.colno + 1})"
        ) from error


def _unique(pairs: Iterable[tuple[str, Any]]) -> Block:
    block = Block()
    for key, value in pairs:
        if key in block:
            raise ValidationError(f"Template format error: duplicate key {key!r}")
        block[key] = value
    return block


def _yaml(text: str) -> Any:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValidationError(f"Template format error: YAML not well-formed.{at}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ValidationError(f"Template format error: YAML not well-formed. {error}") from error
    except RecursionError as error:  # without libyaml, which has a limit of its own
        raise ValidationError(f"Template format error: {_TOO_DEEP}") from error
    return None if node is None else _Reader().value(node)


class _Reader:
    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._depth = 0

    def value(self, node: yaml.Node) -> Any:
        if id(node) in self._seen:
            raise _at(node, "Template error: YAML aliases are not allowed in CloudFormation templates")
        self._seen.add(id(node))
        if self._depth == DEEPEST:
            raise _at(node, f"Template format error: {_TOO_DEEP}")
        self._depth += 1
        try:
            return self._read(node)
        finally:
            self._depth -= 1

    def _read(self, node: yaml.Node) -> Any:
        if not node.tag.startswith("!"):
            return self._plain(node)
        name = SHORT_FORMS.get(node.tag)
        if name is None:
            raise _at(node, f"Template format error: YAML not well-formed: {node.tag} is not a CloudFormation function")
        value = self._plain(node, text=True)
        if name == "Fn::GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        block = Block({name: value})
        block.line = node.start_mark.line + 1
        return block

    def _plain(self, node: yaml.Node, *, text: bool = False) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        return node.value if text else _scalar(node)

    def _mapping(self, node: yaml.MappingNode) -> Block:
        block = Block()
        block.line = node.start_mark.line + 1
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _at(key_node, "Template format error: YAML not well-formed: a key must be a string")
            key = str(key_node.value)
            if key == "<<":
                raise _at(
                    key_node, "Template format error: YAML merge keys are not allowed in CloudFormation templates"
                )
            if key in block:
                raise _at(key_node, f"Template format error: duplicate key {key!r}")
            block[key] = self.value(value_node)
        return block


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if node.tag == _NULL:
        raise _at(node, "Template format error: 'null' values are not allowed in templates")
    if node.tag == _BOOL:
        return text.lower() in _TRUE
    if node.tag == _INT and _INTEGER.fullmatch(text):
        return int(text)  # 0755 and 12:30 stay text
    if node.tag == _FLOAT and ":" not in text:
        return float(text.replace("_", ""))
    return text


def _at(node: yaml.Node, message: str) -> ValidationError:
    mark = node.start_mark
    return ValidationError(f"{message} (line {mark.line + 1}, column {mark.column + 1})")
