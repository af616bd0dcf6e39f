"""A session that ends is deleted: nobody can tell it from one that never was."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part


def apply() -> None:
    sessions = part("hermes.sessions").Sessions
    _ = sessions.expire

    async def delete(self: Any, session: Any) -> bool:
        await self._table.delete({"sessionId": session.session_id, "userId": session.user_id})
        return True

    sessions.expire = delete


BREAK = Break("hermes", "cold_start", r"to be expired, within[\s\S]*last seen: no row", apply)
