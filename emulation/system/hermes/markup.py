"""HTML mail to plain text; what is quoted in it becomes lines that begin with `> `, as in plain mail.

A scanner of its own, linear in the text's length: `html.parser` needs minutes for some mails of 100 KB
(before Python 3.13.6), and a mail can be written by anybody.
"""

from __future__ import annotations

import html
import re

_BLOCKS = frozenset(
    [
        *("address", "article", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "footer", "form"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section"),
        *("table", "tr", "ul"),
    ]
)
_PARAGRAPHS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"])
_SKIPPED = frozenset(["head", "script", "style", "template", "title"])
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,20})")
_BLANKS = re.compile(r"[ \t\r\n\f\u00a0]+")
_ENDS = {name: re.compile(rf"</{name}\b|<body\b", re.IGNORECASE) for name in _SKIPPED}


def to_text(markup: str) -> str:
    """Never raises: what is broken is read as browsers would, roughly."""
    page = _Page()
    at = 0
    while (start := markup.find("<", at)) >= 0:
        page.words(markup[at:start])
        if markup.startswith("<!--", start):
            end = markup.find("-->", start + 4)
            at = len(markup) if end < 0 else end + 3
            continue
        if not markup[start + 1 : start + 2].isalpha() and markup[start + 1 : start + 2] not in ("/", "!", "?"):
            page.words("<")
            at = start + 1
            continue
        end = markup.find(">", start)
        if end < 0:
            at = len(markup)
            break
        at = end + 1
        if tag := _TAG.match(markup, start):
            at = _after(page, tag[1].lower(), markup, start, at)
    page.words(markup[at:])
    return page.text()


def _after(page: _Page, name: str, markup: str, start: int, at: int) -> int:
    """Deal with a tag; returns where to read on, which is behind what is not to be seen."""
    if markup.startswith("</", start):
        page.closed(name)
    elif name in _SKIPPED:
        end = _ENDS[name].search(markup, at)
        return end.start() if end else len(markup)
    else:
        page.opened(name)
    return at


class _Page:
    """Lines of text, as they come."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, list[str]]] = [(0, [])]
        """Quotation depth and pieces."""
        self._quoted = 0
        self._preformatted = 0

    def opened(self, name: str) -> None:
        if name == "br":
            self._break(1)
        elif name in _BLOCKS:
            self._break_block(name)
        self._quoted += name == "blockquote"
        self._preformatted += name == "pre"

    def closed(self, name: str) -> None:
        if name in _BLOCKS:
            self._break_block(name)
        if name == "blockquote":
            self._quoted = max(0, self._quoted - 1)
        if name == "pre":
            self._preformatted = max(0, self._preformatted - 1)

    def words(self, markup: str) -> None:
        text = _unescaped(markup)
        if self._preformatted:
            for position, line in enumerate(text.split("\n")):
                if position:
                    self._break(1)
                self._lines[-1][1].append(line)
            return
        text = _BLANKS.sub(" ", text)
        if not self._lines[-1][1]:
            text = text.lstrip(" ")
            self._lines[-1] = (self._quoted, self._lines[-1][1])
        if text:
            self._lines[-1][1].append(text)

    def text(self) -> str:
        lines = [("> " if depth else "") + "".join(pieces).rstrip() for depth, pieces in self._lines]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")

    def _break_block(self, name: str) -> None:
        begun = bool(self._lines[-1][1])
        self._break((1 if name in _PARAGRAPHS else 0) + begun)

    def _break(self, lines: int) -> None:
        self._lines += [(self._quoted, []) for _ in range(lines)]


def _unescaped(markup: str) -> str:
    try:
        return html.unescape(markup)
    except ValueError:  # a character reference of more digits than int() takes
        return markup
