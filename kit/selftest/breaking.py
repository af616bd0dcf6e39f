"""Breaks, and the tools that they are written with. Imported by the broken program, so it stays light."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any, Literal, TypeVar

Replacement = TypeVar("Replacement", bound=Callable[..., Any])

MIXES = "mixes"
"""In place of a scenario: an exploration of session mixes must find the break."""
_BREAKS = f"{__package__}.breaks"
_system = ""
"""The package of the system's modules: the parent of the program that is broken."""


@dataclass(frozen=True)
class Break:
    """One way to break the system under test. The decorated functions get the original first, then its arguments."""

    program: Literal["hermes", "edit"]
    scenario: str
    """The scenario that must fail, or `MIXES`."""
    says: str
    """A regular expression that the scenario's message must match, so that it points at the cause."""
    mixes: str = ""
    """A regular expression for the message of an exploration, if one finds this break of a scenario too."""
    step: str = ""
    """A regular expression for the name of the failed step, where the message alone says too little."""
    _changes: list[Callable[[], None]] = field(default_factory=list, init=False, repr=False)

    @property
    def by_mixes(self) -> str:
        """The regular expression for the message of an exploration that finds it; empty if none does."""
        return self.says if self.scenario == MIXES else self.mixes

    def replaces(self, module: str, path: str) -> Callable[[Replacement], Replacement]:
        """Decorates the function that replaces one of the system, such as `Replies.send` of `hermes.replies`."""

        def decorate(by: Replacement) -> Replacement:
            self._changes.append(lambda: _replace(module, path, by))
            return by

        return decorate

    def reroutes(self, module: str, path: str) -> Callable[[Replacement], Replacement]:
        """Decorates the function that replaces the handler of the route that ends in `path`."""

        def decorate(by: Replacement) -> Replacement:
            self._changes.append(lambda: _reroute(module, path, by))
            return by

        return decorate

    def apply(self) -> None:
        """Break the program; called in its process, before it starts. Raises AttributeError for a function that is
        gone, LookupError for such a route."""
        for change in self._changes:
            change()


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


def _replace(module: str, path: str, by: Callable[..., Any]) -> None:
    owner_path, _, name = path.rpartition(".")
    owner = attrgetter(owner_path)(part(module)) if owner_path else part(module)
    original = getattr(owner, name)
    setattr(owner, name, lambda *args, **more: by(original, *args, **more))


def _reroute(module: str, path: str, by: Callable[..., Any]) -> None:
    def rerouted(routes: Callable[..., list[Any]], *args: Any) -> list[Any]:
        found = routes(*args)
        if not any(route.path.endswith(path) for route in found):
            raise LookupError(f"{module} has no route that ends in {path}")
        return [
            type(route)(route.method, route.path, partial(by, route.handler), route.kwargs)
            if route.path.endswith(path)
            else route
            for route in found
        ]

    _replace(module, "routes", rerouted)


def _module(name: str) -> Any:
    return importlib.import_module(f"{_BREAKS}.{name}")
