"""A session that ends is deleted: it cannot be distinguished from one that never existed."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"to be expired, within[\s\S]*last seen: no row")


@BREAK.replaces("hermes.sessions", "Sessions.expire")
async def delete(_expire: Any, sessions: Any, session: Any) -> bool:
    await sessions._table.delete({"sessionId": session.session_id, "userId": session.user_id})
    return True
