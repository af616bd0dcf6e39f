"""Browsers that look at a preview are never told that it changed."""

from __future__ import annotations

from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(_tell: Any) -> Any:
        async def say_nothing(self: Any, watch: Any, text: str | None) -> None:
            del self, watch, text

        return say_nothing

    wrap(part("edit.hot_reload").HotReload, "_tell", by)


BREAK = Break("edit", "routing", r"a hot-reload message on ws", apply)
