"""Policies and other documents, which templates write as objects and APIs take as JSON text."""

from __future__ import annotations

import json
from typing import Any


def document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
