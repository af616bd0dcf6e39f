"""The row tells its task under another name than its readers look for."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def renamed(row: dict[str, Any]) -> dict[str, Any]:
        return {("taskArn" if name == "fargateTaskArn" else name): value for name, value in row.items()}

    def by_row(row: Any) -> Any:
        return lambda self: renamed(row(self))

    def by_change(change: Any) -> Any:
        async def changed(self: Any, session: Any, changes: dict[str, Any]) -> Any:
            return await change(self, session, renamed(changes))

        return changed

    wrap(part("hermes.sessions").Session, "row", by_row)
    wrap(part("hermes.sessions").Sessions, "_change", by_change)


BREAK = Break("hermes", "contract", r"the row \S+ of table \S+\n  fargateTaskArn is missing", apply)
