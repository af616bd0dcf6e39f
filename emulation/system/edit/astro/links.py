"""Puts a page's links from the root below the base at which the page is served.

Astro itself leaves them alone, its dev server's own scripts included: they expect to have an origin of their own.
"""

from __future__ import annotations

import re

_VALUE = r"""(?:[^"'<>]|"[^"]*"|'[^']*')*"""
_TOKEN = re.compile(
    rf"(?P<skipped><!--.*?-->)"
    rf"|(?P<raw><(?P<name>script|style)\b{_VALUE}>)(?P<content>.*?)(?P<end></(?P=name)\s*>)"
    rf"|(?P<tag><[a-z]{_VALUE}>)",
    re.DOTALL | re.IGNORECASE,
)
_LINK = re.compile(
    r"""(\s(?:href|src|action|poster|component-url|renderer-url|before-hydration-url)\s*=\s*)(["'])(/(?!/).*?)\2""",
    re.DOTALL | re.IGNORECASE,
)


def below(base: str, markup: str) -> str:
    """The page with its links below `base`, which ends with a slash; links that are there already stay."""

    def link(match: re.Match[str]) -> str:
        address = match[3]
        if not f"{address}/".startswith(base):
            address = base + address[1:]
        return f"{match[1]}{match[2]}{address}{match[2]}"

    def token(match: re.Match[str]) -> str:
        if match["skipped"]:
            return match[0]
        if match["raw"]:
            return _LINK.sub(link, match["raw"]) + match["content"] + match["end"]
        return _LINK.sub(link, match["tag"])

    return _TOKEN.sub(token, markup)
