"""The hot-reload message of one session reaches the sockets of all."""

from typing import Any

from ..breaking import MIXES, Break

BREAK = Break("edit", MIXES, r"isolation: .* surfaced in \S+: .*hot_reload")


@BREAK.replaces("edit.hot_reload", "HotReload._tell")
async def to_all(tell: Any, hot_reload: Any, _watch: Any, text: Any) -> Any:
    for each in list(hot_reload._watches.values()):
        await tell(hot_reload, each, text)
