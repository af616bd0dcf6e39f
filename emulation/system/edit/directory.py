"""Which client, user and thread a session belongs to: from the workspace's index, else from the table."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass

from .. import names
from ..aws_errors import AwsError
from ..clock import Clock
from ..table import Table
from .workspace import Workspace

log = logging.getLogger(__name__)

_UNKNOWN_FOR = 2.0
"""AWS seconds for which a session that was not found is not looked for again."""


@dataclass(frozen=True)
class Place:
    """Where a session works."""

    session_id: str
    client_id: str
    user_id: str
    thread_id: str

    @property
    def branch(self) -> str:
        return names.branch(self.thread_id)


class Directory:
    """Entries are written when work arrives, so pages are served without AWS, by every task."""

    def __init__(self, workspace: Workspace, table: Table, clock: Clock) -> None:
        self._workspace = workspace
        self._table = table
        self._clock = clock
        self._known: dict[str, Place] = {}
        self._unknown: dict[str, float] = {}

    def enter(self, place: Place) -> None:
        """Remember a session, on the shared workspace."""
        if self._known.get(place.session_id) == place:
            return
        file = self._workspace.private / "sessions" / f"{names.session_id(place.session_id)}.json"
        written = file.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(asdict(place)))
        written.replace(file)
        self._known[place.session_id] = place

    async def find(self, session_id: str) -> Place | None:
        """None for an unknown session. Raises `InvalidName`."""
        names.session_id(session_id)
        place = self._known.get(session_id) or self._indexed(session_id)
        if place is None and self._clock.now() >= self._unknown.get(session_id, 0):
            place = await self._tabled(session_id)
        if place is None:
            return None
        self._known[session_id] = place
        return place

    def _indexed(self, session_id: str) -> Place | None:
        file = self._workspace.private / "sessions" / f"{session_id}.json"
        try:
            return _checked(Place(**json.loads(file.read_text())))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            log.warning("an index entry is not readable", extra={"sessionId": session_id, "cause": str(error)})
            return None

    async def _tabled(self, session_id: str) -> Place | None:
        try:
            rows = await self._table.query("sessionId", session_id)
        except AwsError as error:
            log.warning("the sessions table cannot be read", extra={"sessionId": session_id, "cause": str(error)})
            return None
        for row in rows:
            try:
                return _checked(Place(session_id, str(row["clientId"]), str(row["userId"]), str(row["threadId"])))
            except (KeyError, ValueError) as error:
                log.warning("a session's row is not usable", extra={"sessionId": session_id, "cause": str(error)})
        if len(self._unknown) > 10_000:
            self._unknown.clear()
        self._unknown[session_id] = self._clock.now() + _UNKNOWN_FOR
        return None


def _checked(place: Place) -> Place:
    names.session_id(place.session_id)
    names.client_id(place.client_id)
    names.user_id(place.user_id)
    names.thread_id(place.thread_id)
    return place
