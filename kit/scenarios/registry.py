"""What a scenario is, and the register of them."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..backends.capability import Level, lacking
from ..core.errors import UsageError
from . import ORDER, __path__

if TYPE_CHECKING:
    from ..core.checkers import Checker
    from ..harness import Harness

Body = Callable[["Harness"], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """Something the system under test must do, shown from outside."""

    name: str
    proves: str
    """One sentence: what is known when it has passed."""
    needs: tuple[str, ...]
    """Capabilities (`kit.backends.capability`) without which it is skipped."""
    body: Body
    checkers: tuple[Checker, ...] = ()
    """Read the history when the body has ended."""
    only_named: str = ""
    """Why it is run only when it is named; empty when it is run with all others."""

    def skipped_because(self, capabilities: Mapping[str, Level]) -> str | None:
        """Why this cloud cannot run it; None when it can."""
        absent = lacking(capabilities, self.needs)
        return f"this cloud has no {', '.join(absent)}" if absent else None


ALL = "all"
"""In the place of a scenario's name: every one of them, those included that are run only when they are named."""

_REGISTER: dict[str, Scenario] = {}


def scenario(
    name: str, *, needs: Iterable[str], proves: str, checkers: Iterable[Checker] = (), only_named: str = ""
) -> Callable[[Body], Body]:
    """Register an async function as a scenario. Raises ValueError for a name that is taken."""

    def register(body: Body) -> Body:
        if name in _REGISTER or name == ALL:
            raise ValueError(f"there are two scenarios called {name!r}")
        _REGISTER[name] = Scenario(name, proves, tuple(needs), body, tuple(checkers), only_named)
        return body

    return register


def all_scenarios() -> list[Scenario]:
    """Every scenario in `kit/scenarios/`, in its `ORDER`."""
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            importlib.import_module(f"{__package__}.{module.name}")
    place = {name: at for at, name in enumerate(ORDER)}
    return [_REGISTER[name] for name in sorted(_REGISTER, key=lambda name: (place.get(name, len(place)), name))]


def chosen(names: Iterable[str]) -> list[Scenario]:
    """The scenarios with these names, in this order; without names all of them but `only_named`,
    and `all` of them for that word.

    Raises `UsageError` that names the nearest one.
    """
    known = {one.name: one for one in all_scenarios()}
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
    return result or [one for one in known.values() if not one.only_named]
