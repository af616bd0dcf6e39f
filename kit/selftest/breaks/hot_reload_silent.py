"""Browsers that show a preview are never notified of its changes."""

from typing import Any

from ..breaking import Break

BREAK = Break("edit", "routing", r"a hot-reload message on ws")


@BREAK.replaces("edit.hot_reload", "HotReload._tell")
async def say_nothing(*_: Any) -> None:
    return None
