"""HTML mail to plain text; what is quoted in it becomes lines that begin with `> `, as in plain mail."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    [
        *("address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
        *("table", "tr", "ul"),
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"])
_SKIPPED = frozenset(["head", "script", "style", "template", "title"])
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0]+")


def to_text(html: str) -> str:
    """Never raises: what is broken is read as browsers would, roughly."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.text()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[int, list[str]]] = [(0, [])]
        """Quotation depth and pieces."""
        self._quoted = 0
        self._skipping: str | None = None
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._skipping:
            return
        if tag in _SKIPPED:
            self._skipping = tag
        elif tag == "br":
            self._break(1)
        elif tag in _BLOCKS:
            self._break(2 if tag in _PARAGRAPHS else 1, only_if_begun=True)
        if tag == "body":
            self._skipping = None
        self._quoted += tag == "blockquote"
        self._preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag == self._skipping:
            self._skipping = None
        elif tag in _BLOCKS and not self._skipping:
            self._break(2 if tag in _PARAGRAPHS else 1, only_if_begun=True)
        if tag == "blockquote":
            self._quoted = max(0, self._quoted - 1)
        if tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def handle_data(self, data: str) -> None:
        if self._skipping:
            return
        if self._preformatted:
            for position, line in enumerate(data.split("\n")):
                if position:
                    self._break(1)
                self._lines[-1][1].append(line)
            return
        text = _BLANKS.sub(" ", data)
        if not self._lines[-1][1]:
            text = text.lstrip(" ")
            self._lines[-1] = (self._quoted, self._lines[-1][1])
        if text:
            self._lines[-1][1].append(text)

    def text(self) -> str:
        lines = [("> " * bool(depth)) + "".join(pieces).rstrip() for depth, pieces in self._lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")

    def _break(self, lines: int, *, only_if_begun: bool = False) -> None:
        begun = bool(self._lines[-1][1])
        if only_if_begun and not begun:
            lines -= 1
        self._lines += [(self._quoted, []) for _ in range(lines)]
