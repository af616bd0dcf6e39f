"""Which ECS task this is, from the task metadata endpoint; nothing outside ECS."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

_TIMEOUT = 2.0
"""Wall seconds; the endpoint is on the task's own host."""


def task_arn(metadata_uri: str) -> str:
    """The task's ARN, empty when the endpoint does not answer. Blocking."""
    if not metadata_uri.startswith("http://"):
        return ""
    try:
        with urllib.request.urlopen(f"{metadata_uri}/task", timeout=_TIMEOUT) as answer:  # noqa: S310 - an http address of the run
            facts: Any = json.load(answer)
    except (OSError, ValueError):
        return ""
    return str(facts.get("TaskARN", "")) if isinstance(facts, dict) else ""
