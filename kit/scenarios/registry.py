"""Scenarios and their registry."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..backends.capability import Level, lacking
from ..core.errors import UsageError
from ..core.extensions import Reference, import_submodules, references
from . import ORDER

if TYPE_CHECKING:
    from ..core.checkers import Checker
    from ..harness import Harness

Body = Callable[["Harness"], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """A behaviour of the system under test, shown from outside."""

    name: str
    proves: str
    """One sentence: what a pass proves."""
    needs: tuple[str, ...]
    """Capabilities (`kit.backends.capability`) without which it is skipped."""
    body: Body
    checkers: tuple[Checker, ...] = ()
    """Checkers of the history, run after the body."""
    only_named: str = ""
    """Why it runs only when named; empty when it runs by default."""

    def skipped_because(self, capabilities: Mapping[str, Level]) -> str | None:
        """Why a cloud with these capabilities skips it; None if it runs."""
        absent = lacking(capabilities, self.needs)
        return f"this cloud has no {', '.join(absent)}" if absent else None


ALL = "all"
"""Selects every scenario, including opt-in ones."""

_REGISTER: dict[str, Scenario] = {}


def scenario(
    name: str, *, needs: Iterable[str] = (), proves: str, checkers: Iterable[Checker] = (), only_named: str = ""
) -> Callable[[Body], Body]:
    """Register an async function as a scenario. Raises `UsageError` for a duplicate or reserved name."""

    def register(body: Body) -> Body:
        if name == ALL:
            raise UsageError(
                f"a scenario cannot be called {ALL!r}: the word selects all of them", where=body.__module__
            )
        if name in _REGISTER:
            raise UsageError(
                f"there are two scenarios called {name!r}",
                where=f"{_REGISTER[name].body.__module__} and {body.__module__}",
                next="rename one of them",
            )
        _REGISTER[name] = Scenario(name, proves, tuple(needs), body, tuple(checkers), only_named)
        return body

    return register


def all_scenarios(modules: Iterable[str] = ()) -> list[Scenario]:
    """The kit's scenarios in their `ORDER`, then those of other packages by name.

    `modules` are the setting `scenarios`: modules or packages that register scenarios when they are imported, in
    addition to those of the entry-point group `kit.scenarios`. Raises `UsageError` for one that does not exist,
    registers none, or takes a name that is used.
    """
    import_submodules(sys.modules[__package__])
    for reference in references("scenarios", modules):
        _import(reference)
    place = {name: at for at, name in enumerate(ORDER)}
    return [_REGISTER[name] for name in sorted(_REGISTER, key=lambda name: (place.get(name, len(place)), name))]


def select(names: Iterable[str], modules: Iterable[str] = ()) -> list[Scenario]:
    """The scenarios with these names, in this order; `all` selects every scenario.

    Without names: every scenario of `modules` (see `all_scenarios`), or of the kit and the entry points if there are
    no modules, except those that are `only_named`. Raises `UsageError` that suggests the nearest name.
    """
    modules = tuple(modules)
    known = {one.name: one for one in all_scenarios(modules)}
    result: list[Scenario] = []
    for name in names:
        if name == ALL:
            result += known.values()
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
            raise UsageError(
                f"no scenario is called {name!r}",
                next=(f"did you mean {near[0]!r}? " if near else "") + f"there are: {', '.join(known)}",
            )
        result.append(known[name])
    if result:
        return result
    return [one for one in known.values() if not one.only_named and (not modules or _of(one, modules))]


def _import(reference: Reference) -> None:
    """Import a module or package of scenarios, and see that it registered some."""
    module = reference.module()
    import_submodules(module)
    if not any(_of(one, [module.__name__]) for one in _REGISTER.values()):
        raise UsageError(
            f"module {module.__name__!r} registers no scenario",
            where=reference.source,
            next="decorate a function of it: @scenario(NAME, proves=…), from webordinary_testkit import scenario",
        )


def _of(one: Scenario, modules: Iterable[str]) -> bool:
    return any(f"{one.body.__module__}.".startswith(f"{module}.") for module in modules)
