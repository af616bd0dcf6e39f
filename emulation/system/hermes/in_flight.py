"""What this Hermes is busy with right now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class InFlight:
    """Counts the mails and the sessions that are being worked on, and tells when they change."""

    def __init__(self) -> None:
        self.mails = 0
        self.ever = False
        """Whether there has been anything to do since the start."""
        self._sessions: Counter[str] = Counter()
        self._on_change: Callable[[], None] = lambda: None

    def tell(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change

    def sessions(self) -> set[str]:
        return set(self._sessions)

    def count(self, session_id: str) -> int:
        """Instructions for a session, the one under way included."""
        return self._sessions[session_id]

    @contextmanager
    def session(self, session_id: str) -> Iterator[None]:
        self._sessions[session_id] += 1
        self._changed()
        try:
            yield
        finally:
            self._sessions[session_id] -= 1
            self._sessions += Counter()
            self._changed()

    @contextmanager
    def mail(self) -> Iterator[None]:
        self.mails += 1
        self._changed()
        try:
            yield
        finally:
            self.mails -= 1
            self._changed()

    def _changed(self) -> None:
        self.ever = True
        self._on_change()
