"""Breaks, and the tools that they are written with. Imported by the broken program, so it stays light."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

_BREAKS = f"{__package__}.breaks"
_system = ""
"""The package of the system's modules: the parent of the program that is broken."""


@dataclass(frozen=True)
class Break:
    """One way to break the system under test."""

    program: Literal["hermes", "edit"]
    scenario: str
    """The scenario that must fail."""
    says: str
    """A regular expression that the scenario's message must match, so that it points at the cause."""
    apply: Callable[[], None]
    """Breaks the program; called in its process before the program starts."""
    step: str = ""
    """A regular expression for the name of the failed step, where the message alone says too little."""


def load(name: str) -> Break:
    """The break of this name. Raises ModuleNotFoundError."""
    found: Break = _module(name).BREAK
    return found


def names() -> list[str]:
    """The names of all breaks."""
    breaks = importlib.import_module(_BREAKS)
    return sorted(module.name for module in pkgutil.iter_modules(breaks.__path__))


def about(name: str) -> str:
    """The first line of a break's docstring: what it does."""
    return str(_module(name).__doc__).strip().splitlines()[0]


def aim(program: str) -> None:
    """Break this program, a module such as `acme.system.hermes`: `part` finds its neighbours."""
    global _system  # noqa: PLW0603 - a broken process runs one program
    _system = program.rpartition(".")[0]


def part(name: str) -> Any:
    """A module of the system that is broken, for example `part("hermes.watch")`. Raises ModuleNotFoundError."""
    return importlib.import_module(f"{_system}.{name}")


def wrap(owner: Any, name: str, by: Callable[[Any], Any]) -> None:
    """Replace an attribute by `by(original)`. Raises AttributeError when it is gone."""
    setattr(owner, name, by(getattr(owner, name)))


def rerouted(module: str, path: str, by: Callable[[Callable[[Any], Awaitable[Any]]], Any]) -> None:
    """Replace the handler of the route that ends in `path` by `by(handler)`. Raises LookupError."""

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


def _module(name: str) -> Any:
    return importlib.import_module(f"{_BREAKS}.{name}")
