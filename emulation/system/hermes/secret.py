"""A secret of the deployment, from which ids are derived: the same parts give the same id; others cannot guess it."""

from __future__ import annotations

import hmac
from uuid import UUID

from ..ids import Ids
from ..table import Table

_KEY = "secret"
"""The key of its row in Hermes' table; a mail's key has a space in it."""


class Secret:
    """Drawn by the first Hermes, and read by all others."""

    def __init__(self, table: Table, ids: Ids) -> None:
        self._table = table
        self._ids = ids
        self._value = b""

    async def derived(self, *parts: str) -> str:
        """The UUID of these parts: a thread's id says nothing about its mail, a session's nothing about its thread.

        Raises `AwsError` while the secret cannot be read.
        """
        if not self._value:
            self._value = await self._read()
        digest = hmac.digest(self._value, "\0".join(parts).encode(), "sha256")
        return str(UUID(bytes=digest[:16], version=4))

    async def _read(self) -> bytes:
        rows = await self._table.query("messageId", _KEY)
        if not rows:
            await self._table.create({"messageId": _KEY, "value": self._ids.uuid() + self._ids.uuid()})
            rows = await self._table.query("messageId", _KEY)
        return str(rows[0]["value"]).encode()
