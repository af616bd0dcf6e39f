"""Checks and their findings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..aws.errors import error_code
from ..core.errors import KitError


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    """A run can start, but parts of it may fail."""
    FAIL = "fail"
    """A run would be refused, or would fail."""


@dataclass(frozen=True)
class DoctorFinding:
    level: Level
    what: str
    """The subject of the check, in a word or two."""
    seen: str
    next: str = ""
    """What to do; empty when all is well."""


Check = tuple[str, Callable[[], Awaitable[Sequence[DoctorFinding]]]]
"""A check's subject and function. The function changes nothing."""


async def run_checks(checks: Sequence[Check]) -> AsyncIterator[DoctorFinding]:
    """Runs all checks concurrently; yields their findings in the checks' order, each as soon as possible."""
    tasks = [asyncio.ensure_future(_run(*check)) for check in checks]
    try:
        for task in tasks:
            for finding in await task:
                yield finding
    finally:
        for task in tasks:
            task.cancel()


async def _run(what: str, check: Callable[[], Awaitable[Sequence[DoctorFinding]]]) -> Sequence[DoctorFinding]:
    try:
        return await check()
    except KitError as error:
        seen = f"{error.what} ({error.where})" if error.where else error.what
        return [fail(what, seen.partition("\n")[0], error.next)]
    except Exception as error:
        return [fail(what, f"the check failed: {error}", _hint(error))]


def _hint(error: Exception) -> str:
    code = error_code(error)
    if "AccessDenied" in code or "Unauthorized" in code:
        return f"allow it: {getattr(error, 'operation_name', 'the call')} (see kit iam --policy)"
    return "look at the message; kit doctor again"


def ok(what: str, seen: str) -> DoctorFinding:
    return DoctorFinding(Level.OK, what, seen)


def warn(what: str, seen: str, next: str) -> DoctorFinding:
    return DoctorFinding(Level.WARN, what, seen, next)


def fail(what: str, seen: str, next: str) -> DoctorFinding:
    return DoctorFinding(Level.FAIL, what, seen, next)
