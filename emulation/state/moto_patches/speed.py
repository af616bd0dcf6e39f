"""Caches two pure functions that moto computes for every call.

Measured on moto 5.2.5 in process (with `request_ids`): PutItem 610 → 340 µs, GetItem 970 → 400 µs.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .replace import replace_everywhere


def install() -> None:
    """Install the caches. Idempotent."""
    from moto.core import responses, serialize  # noqa: PLC0415 - heavy: only in the worker thread

    if hasattr(responses.method_names_from_class, "cache_info"):
        return
    # The methods of a service's class: moto inspects its hundreds of members for every call.
    replace_everywhere(
        "method_names_from_class", responses.method_names_from_class, cache(responses.method_names_from_class)
    )
    picker = serialize.XFormedAttributePicker
    replace_everywhere("XFormedAttributePicker", picker, _caching(picker))


def _caching(picker: Any) -> Any:
    """Caches the up to twelve attribute names that an object may have for a modelled member: moto derives them for
    every member of every answer, but they depend on the shape and the class only."""

    class Caching(picker):  # type: ignore[misc] # moto is untyped here
        def get_possible_keys(self, context: Any) -> list[str]:
            obj, shape = context.obj, context.shape
            if shape is None or hasattr(obj, "Meta"):
                return list(super().get_possible_keys(context))
            cached = shape.__dict__.setdefault("_possible_keys", {})
            key = context.key, type(obj).__name__
            names: list[str] | None = cached.get(key)
            if names is None:
                names = cached[key] = list(dict.fromkeys(super().get_possible_keys(context)))
            return names

    return Caching
