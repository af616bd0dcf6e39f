"""Reads a fault's settings from JSON, with one-sentence errors."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from .fault import FaultRefused

SettingsT = TypeVar("SettingsT")

_TYPES: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}


def read(kind: type[SettingsT], values: Mapping[str, Any]) -> SettingsT:
    """A dataclass from a JSON object. Raises `FaultRefused` for unknown and missing names, wrong types, and for a
    ValueError of its `__post_init__`."""
    known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]  # a dataclass, as the docstring says
    for name in values:
        if name not in known:
            raise FaultRefused(f"no setting is called {name!r}{nearest(name, known)}; there are {', '.join(known)}")
    for name, field in known.items():
        if name not in values:
            if field.default is MISSING:
                raise FaultRefused(f"the setting {name!r} is missing")
            continue
        words = [word.strip() for word in str(field.type).split("|")]
        allowed = tuple(kind for word in words for kind in _TYPES.get(word, ()))
        value = values[name]
        if isinstance(value, bool) or not (isinstance(value, allowed) or (value is None and "None" in words)):
            raise FaultRefused(f"{name} must be {field.type}, got {value!r}")
    try:
        return kind(**values)
    except ValueError as error:
        raise FaultRefused(str(error)) from None


def nearest(name: str, known: Any) -> str:
    """`, did you mean …?` when a similar name exists."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
