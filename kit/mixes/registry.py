"""The subject of a run: the setting `subject`, or the kit's own."""

from __future__ import annotations

from typing import Any

from ..core.errors import UsageError
from ..core.extensions import Reference
from ..settings import Settings
from .subject import Subject


def subject_of(settings: Settings) -> Subject:
    """The subject that the setting `subject` names as `module:Class`, or Webordinary. Raises `UsageError`."""
    if not settings.subject:
        from .webordinary import Webordinary  # noqa: PLC0415 - another system's run needs none of it

        return Webordinary()
    made: Any = Reference(settings.subject, "the setting 'subject'").object()
    subject: Subject = made() if isinstance(made, type) else made
    lacking = [name for name in _MEMBERS if not hasattr(subject, name)]
    if lacking:
        raise UsageError(
            f"{settings.subject} is no subject: it has no {', '.join(lacking)}",
            where="the setting 'subject'",
            next="see kit.mixes.Subject, and docs/mixes.md",
        )
    return subject


_MEMBERS = ("kinds", "faults", "clients", "users", "checkers", "begin", "state", "perform", "observe", "end", "clean")
