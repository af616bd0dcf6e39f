"""The row's `lastActivity` is in seconds: every session looks idle for half a century."""

from typing import Any

from ..breaking import Break

BREAK = Break(
    "hermes", "cold_start", r"lastActivity: .*epoch seconds, expected epoch milliseconds", mixes=r"lastActivity"
)


@BREAK.replaces("hermes.sessions", "Session.row")
def in_seconds(row: Any, session: Any) -> Any:
    fields = row(session)
    return fields | {"lastActivity": fields["lastActivity"] // 1000}
