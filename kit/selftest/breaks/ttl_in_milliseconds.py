"""The row's `ttl` is in milliseconds: DynamoDB would keep it for fifty thousand years."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "cold_start", r"the row \S+ of table[\s\S]*ttl: .*epoch milliseconds, expected epoch seconds")


@BREAK.replaces("hermes.sessions", "Session.row")
def in_milliseconds(row: Any, session: Any) -> Any:
    fields = row(session)
    return fields | {"ttl": fields["ttl"] * 1000}
