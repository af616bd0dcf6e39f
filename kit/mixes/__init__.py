"""Session mixes: drawn by Hypothesis, performed on a cloud, judged by their history, made small, and replayed.

    strategies -> Mix -> performance -> history -> checkers -> explore (shrink, repeat) -> kept -> replay

The public names: `mixes`, `Space`, `Mix`, `Person`, `Strand`, `Action`, `PlannedFault`, and for a system of your own
`Subject`, `Kind`, `FaultKind`, `Play`, `Threads`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mix import Action, Mix, Person, PlannedFault, Strand
    from .play import Play
    from .strategies import Space, mixes
    from .subject import FaultKind, Kind, Subject

__all__ = [
    "Action",
    "FaultKind",
    "Kind",
    "Mix",
    "Person",
    "PlannedFault",
    "Play",
    "Space",
    "Strand",
    "Subject",
    "mixes",
]

_MODULE_OF = {
    **dict.fromkeys(("Action", "Mix", "Person", "PlannedFault", "Strand"), "mix"),
    **dict.fromkeys(("FaultKind", "Kind", "Subject"), "subject"),
    "Play": "play",
    **dict.fromkeys(("Space", "mixes"), "strategies"),
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no public name {name!r}", name=name)
    return getattr(importlib.import_module(f"webordinary_testkit.kit.mixes.{_MODULE_OF[name]}"), name)
