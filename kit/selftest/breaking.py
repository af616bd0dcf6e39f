"""What a break is, and the few tools that breaks are made with. Imported in the broken program: it stays light."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

PROGRAMS = {
    "hermes": "webordinary_testkit.emulation.system.hermes",
    "edit": "webordinary_testkit.emulation.system.edit",
}
"""The reference system's programs by their service. The kit knows them by name only."""


@dataclass(frozen=True)
class Break:
    """One way in which the system under test is wrong."""

    program: Literal["hermes", "edit"]
    scenario: str
    """The scenario that must turn red by it."""
    says: str
    """A regular expression that the scenario's message must match: it has to point at the cause."""
    apply: Callable[[], None]
    """Breaks the program; called in its process before it starts."""
    step: str = ""
    """A regular expression that the name of the broken step must match, where the message says too little by itself."""


def load(name: str) -> Break:
    """The break of this name. Raises ModuleNotFoundError."""
    found: Break = importlib.import_module(f"webordinary_testkit.kit.selftest.breaks.{name}").BREAK
    return found


def names() -> list[str]:
    """Every break there is."""
    breaks = importlib.import_module("webordinary_testkit.kit.selftest.breaks")
    return sorted(module.name for module in pkgutil.iter_modules(breaks.__path__))


def about(name: str) -> str:
    """What a break does, in its own first line."""
    return (
        str(importlib.import_module(f"webordinary_testkit.kit.selftest.breaks.{name}").__doc__).strip().splitlines()[0]
    )


def part(name: str) -> Any:
    """A module of the reference system, for example `part("hermes.watch")`."""
    return importlib.import_module(f"webordinary_testkit.emulation.system.{name}")


def wrap(owner: Any, name: str, by: Callable[[Any], Any]) -> None:
    """Put `by(original)` in the place of an attribute. Raises AttributeError when it is not there any more."""
    setattr(owner, name, by(getattr(owner, name)))


def rerouted(module: str, path: str, by: Callable[[Callable[[Any], Awaitable[Any]]], Any]) -> None:
    """Put `by(handler)` in the place of the handler of the route that ends in `path`. Raises LookupError."""

    def routes(original: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        def changed(*args: Any) -> list[Any]:
            found = original(*args)
            if not any(route.path.endswith(path) for route in found):
                raise LookupError(f"{module} has no route that ends in {path}")
            return [
                type(route)(route.method, route.path, by(route.handler), route.kwargs)
                if route.path.endswith(path)
                else route
                for route in found
            ]

        return changed

    wrap(part(module), "routes", routes)
