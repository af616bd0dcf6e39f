"""The public names of the Webordinary test kit, each imported when it is first used.

Everything that is not in `__all__` is private and may change in any release. `from webordinary_testkit import …` gives
the same objects.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .core.version import __version__ as __version__

if TYPE_CHECKING:
    from . import faults
    from .backends import capability
    from .backends.capability import Level
    from .backends.interface import Backend, Cloud
    from .core.checkers import Checker, Finding
    from .core.clock import Clock
    from .core.errors import InfraError, KitError, UsageError
    from .core.eventually import NotYet, eventually
    from .core.history import Event, History
    from .core.verdict import Verdict
    from .faults.context import FaultContext
    from .faults.fault import Effect, Fault, Observation, Visibility
    from .harness.harness import Harness
    from .harness.mail import SentMail
    from .harness.mailbox import Reply
    from .harness.sessions import TestSession
    from .runner.run import Run
    from .scenarios.registry import Scenario, scenario
    from .settings.model import Settings

__all__ = [
    "Backend",
    "Checker",
    "Clock",
    "Cloud",
    "Effect",
    "Event",
    "Fault",
    "FaultContext",
    "Finding",
    "Harness",
    "History",
    "InfraError",
    "KitError",
    "Level",
    "NotYet",
    "Observation",
    "Reply",
    "Run",
    "Scenario",
    "SentMail",
    "Settings",
    "TestSession",
    "UsageError",
    "Verdict",
    "Visibility",
    "capability",
    "eventually",
    "faults",
    "scenario",
]

_MODULES = {
    "backends.capability": ("Level",),
    "backends.interface": ("Backend", "Cloud"),
    "core.checkers": ("Checker", "Finding"),
    "core.clock": ("Clock",),
    "core.errors": ("InfraError", "KitError", "UsageError"),
    "core.eventually": ("NotYet", "eventually"),
    "core.history": ("Event", "History"),
    "core.verdict": ("Verdict",),
    "faults.context": ("FaultContext",),
    "faults.fault": ("Effect", "Fault", "Observation", "Visibility"),
    "harness.harness": ("Harness",),
    "harness.mail": ("SentMail",),
    "harness.mailbox": ("Reply",),
    "harness.sessions": ("TestSession",),
    "runner.run": ("Run",),
    "scenarios.registry": ("Scenario", "scenario"),
    "settings.model": ("Settings",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
_MODULES_THEMSELVES = {"capability": "backends.capability", "faults": "faults"}


def __getattr__(name: str) -> Any:
    path = _MODULES_THEMSELVES.get(name) or _MODULE_OF.get(name)
    if path is None:
        raise AttributeError(_unknown(name), name=name)
    # By its full name: `import kit` from the repository's root must not load everything a second time.
    module = importlib.import_module(f"webordinary_testkit.kit.{path}")
    found = module if name in _MODULES_THEMSELVES else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _unknown(name: str) -> str:
    said = f"module {__name__!r} has no public name {name!r}"
    if name.startswith("__"):
        return said
    import difflib  # noqa: PLC0415 - only for this message

    near = difflib.get_close_matches(name, __all__, n=1, cutoff=0.5)
    return f"{said}; did you mean {near[0]!r}?" if near else f"{said}; there are {', '.join(__all__)}"
