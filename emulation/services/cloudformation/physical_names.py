"""Generated physical names: `<stack>-<logical id>-<random>`."""

from __future__ import annotations

from ...core.ids import Ids

_RANDOM = 12


def physical_name(stack: str, logical_id: str, ids: Ids, max_length: int, *, lower: bool = False) -> str:
    """A unique name of at most `max_length` characters; the stack and the logical id are shortened evenly."""
    room = max_length - _RANDOM - 2
    half = room // 2
    head = stack[: max(half, room - len(logical_id))].rstrip("-")
    tail = logical_id[: room - len(head)]
    unique = ids.alnum(_RANDOM)
    name = f"{head}-{tail}-{unique if lower else unique.upper()}"
    return name.lower() if lower else name
