"""How deep documents from outside may be nested.

AWS publishes no such limit for templates and bodies. The deepest document it takes is a DynamoDB item with its 32
levels, each of which is two of JSON: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

import re

DEEPEST = 100
"""Levels of arrays, objects or elements."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def json_too_deep(text: bytes) -> bool:
    """Whether JSON text is nested deeper than `DEEPEST`. Builds no values; malformed text is judged up to its end."""
    if text.count(b"[") + text.count(b"{") <= DEEPEST:
        return False
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            if depth > DEEPEST:
                return True
        elif token in (b"]", b"}"):
            depth -= 1
    return False
