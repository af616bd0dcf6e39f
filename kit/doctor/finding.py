"""One look of the doctor's, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..core.errors import KitError


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """A run can begin, and this may spoil it or part of it."""
    FAIL = "fail"
    """A run would be refused, or would fail."""


@dataclass(frozen=True)
class Finding:
    level: Level
    what: str
    """What was looked at, in a word or two."""
    seen: str
    next: str = ""
    """What to do; empty when all is well."""


Check = tuple[str, Callable[[], Awaitable[Sequence[Finding]]]]
"""What it looks at, and the look."""


async def examined(checks: Sequence[Check]) -> AsyncIterator[Finding]:
    """Every check's findings, in the checks' order, each as soon as it is there; they look at the same time."""
    tasks = [asyncio.ensure_future(_examined(*check)) for check in checks]
    try:
        for task in tasks:
            for finding in await task:
                yield finding
    finally:
        for task in tasks:
            task.cancel()


async def _examined(what: str, look: Callable[[], Awaitable[Sequence[Finding]]]) -> Sequence[Finding]:
    try:
        return await look()
    except KitError as error:
        seen = f"{error.what} ({error.where})" if error.where else error.what
        return [Finding(Level.FAIL, what, seen.partition("\n")[0], error.next)]
    except Exception as error:
        return [Finding(Level.FAIL, what, f"could not be looked at: {error}", _hint(error))]


def _hint(error: Exception) -> str:
    response = getattr(error, "response", None)
    code = str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
    if "AccessDenied" in code or "Unauthorized" in code or code == "AccessDeniedException":
        return f"allow it: {getattr(error, 'operation_name', 'the call')} (see kit iam --policy)"
    return "look at the message; kit doctor again"


def ok(what: str, seen: str) -> Finding:
    return Finding(Level.OK, what, seen)


def warn(what: str, seen: str, next: str) -> Finding:
    return Finding(Level.WARN, what, seen, next)


def fail(what: str, seen: str, next: str) -> Finding:
    return Finding(Level.FAIL, what, seen, next)
