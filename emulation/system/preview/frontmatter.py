"""The frontmatter of an Astro file: imports, constants and props; nothing is executed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .errors import PreviewError
from .expressions import BadExpression, Expression, Name, parse

_FENCE = re.compile(r"\s*---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_SPACE = re.compile(r"(?:\s+|;|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_IMPORT = re.compile(r"""import\s+([A-Za-z_$][\w$]*)\s+from\s+(["'])([^"'\n]+)\2""")
_TYPE = re.compile(r"(?:export\s+)?(?:interface\s+\w+|type\s+\w+\s*=)\s*\{[^{}]*\}")
_PROPS = re.compile(r"const\s*\{([^{}]*)\}\s*(?::\s*\w+\s*)?=\s*Astro\.props(?:\s+as\s+\w+)?(?=\s*(?:;|\n|\Z))")
_CONST = re.compile(
    r"""(?:export\s+)?const\s+([A-Za-z_$][\w$]*)\s*(?::\s*\w+\s*)?=\s*
        ((?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|[^;\n"'`])+)""",
    re.VERBOSE | re.DOTALL,
)
_PROP = re.compile(
    r"""\s*([A-Za-z_$][\w$]*)\s*(?::\s*([A-Za-z_$][\w$]*)\s*)?
        (?:=\s*((?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[^,"'])+))?\s*(?:,|\Z)""",
    re.VERBOSE,
)


@dataclass
class Frontmatter:
    imports: dict[str, str] = field(default_factory=dict)
    """Module path by local name."""
    constants: list[tuple[str, Expression]] = field(default_factory=list)
    """In order: later ones may use earlier ones."""


def split(source: str) -> tuple[str, str, int]:
    """Frontmatter, template, and the number of the template's first line."""
    match = _FENCE.match(source)
    if match is None:
        return "", source, 1
    return match[1], source[match.end() :], source.count("\n", 0, match.end()) + 1


def read(path: str, text: str) -> Frontmatter:
    """Raises `PreviewError` at the first statement that is not of the subset."""
    found = Frontmatter()
    at = 0
    while at < len(text):
        if match := _SPACE.match(text, at) or _TYPE.match(text, at):
            at = match.end()
            continue
        line = text.count("\n", 0, at) + 2
        if match := _IMPORT.match(text, at):
            found.imports[match[1]] = match[3]
        elif match := _PROPS.match(text, at):
            found.constants += _props(path, line, match[1])
        elif match := _CONST.match(text, at):
            found.constants.append((match[1], _expression(path, line, match[2])))
        else:
            statement = text[at:].split("\n", 1)[0].strip()
            raise PreviewError(path, line, f"the preview does not run: {statement[:120]}")
        at = match.end()
    return found


def _props(path: str, line: int, pattern: str) -> list[tuple[str, Expression]]:
    """`title, heading: h = "x"` as constants taken from Astro.props."""
    constants: list[tuple[str, Expression]] = []
    at = 0
    while pattern[at:].strip():
        match = _PROP.match(pattern, at)
        if match is None:
            raise PreviewError(path, line, f"the preview does not understand the props {{{pattern.strip()}}}")
        prop: Expression = Name(("Astro", "props", match[1]))
        if match[3]:
            prop = _expression(path, line, f"Astro.props.{match[1]} ?? {match[3]}")
        constants.append((match[2] or match[1], prop))
        at = match.end()
    return constants


def _expression(path: str, line: int, source: str) -> Expression:
    try:
        return parse(source.strip())
    except BadExpression as bad:
        raise PreviewError(path, line, str(bad)) from None
