"""Faults of other packages: of the setting `faults` and the entry-point group `kit.faults`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from ..core.errors import UsageError
from ..core.extensions import objects

_REGISTERED: dict[str, Any] = {}
_REQUIRED = ("needs", "visibility", "within", "target", "inject")


def register(named: Iterable[str], taken: Iterable[str]) -> None:
    """Load them all. Raises `UsageError` for a name that is `taken` by the kit, and for what is not a fault."""
    for name, value in objects("faults", named).items():
        if name in taken:
            raise UsageError(
                f"there are two faults called {name!r}", where=f"the kit and {value.__module__}", next="rename yours"
            )
        missing = [item for item in _REQUIRED if not hasattr(value, item)]
        if missing:
            raise UsageError(
                f"{name!r} is not a fault: it has no {', '.join(missing)}",
                where=getattr(value, "__module__", ""),
                next="see the protocol webordinary_testkit.Fault, and docs/extending.md",
            )
        _REGISTERED[name] = value


def find(name: str, taken: Iterable[str]) -> Any:
    """The fault of this name. Raises AttributeError that names the nearest."""
    if name not in _REGISTERED and not name.startswith("_"):
        register((), taken)
    if name not in _REGISTERED:
        near = difflib.get_close_matches(name, (*taken, *_REGISTERED), n=1)
        raise AttributeError(f"there is no fault {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return _REGISTERED[name]
