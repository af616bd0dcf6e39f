"""Looking at a preview is no activity: a session expires under its visitor."""

from typing import Any

from ..breaking import Break

BREAK = Break("edit", "cold_start", r"lastActivity of \S.* to move while its preview is looked at")


@BREAK.replaces("edit.activity", "Activity.touch")
def nothing(*_: Any) -> None:
    return None
