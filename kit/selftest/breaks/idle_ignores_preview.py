"""Looking at a preview is no activity: a session expires under its visitor."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part


def apply() -> None:
    activity = part("edit.activity").Activity
    _ = activity.touch

    def nothing(_self: Any, _place: Any) -> None:
        return None

    activity.touch = nothing


BREAK = Break("edit", "cold_start", r"lastActivity of \S.* to move while its preview is looked at", apply)
