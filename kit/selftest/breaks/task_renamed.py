"""The row names its task under another attribute than its readers look for."""

from typing import Any

from ..breaking import Break

BREAK = Break("hermes", "contract", r"the row \S+ of table \S+\n  fargateTaskArn is missing")


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    return {("taskArn" if name == "fargateTaskArn" else name): value for name, value in row.items()}


@BREAK.replaces("hermes.sessions", "Session.row")
def row_renamed(row: Any, session: Any) -> dict[str, Any]:
    return _renamed(row(session))


@BREAK.replaces("hermes.sessions", "Sessions._change")
async def change_renamed(change: Any, sessions: Any, session: Any, changes: dict[str, Any]) -> Any:
    return await change(sessions, session, _renamed(changes))
