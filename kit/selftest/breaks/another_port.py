"""The server listens on another port than its container is reached at: the process is alive, and nobody gets in."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(bound: Any) -> Any:
        return lambda program, host, _port: bound(program, host, 0)  # any that is free

    wrap(part("serving"), "bound", by)


BREAK = Break("edit", "readiness", r"port open, for session[\s\S]*listening at nothing", apply)
