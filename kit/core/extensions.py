"""Loads scenarios, faults, checkers and backends of other packages: named in the settings, or by entry points.

A reference is a module, `acme.scenarios`, or an object in one, `acme.faults:LoseMessages`. The settings keys and the
entry-point groups have the same names: `scenarios` and `kit.scenarios`, and so on.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import pkgutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import UsageError


@dataclass(frozen=True)
class Reference:
    """A module or an object of another package, and where it is named."""

    target: str
    """`package.module` or `package.module:attribute`."""
    source: str
    """For messages: the setting or the entry point."""
    name: str = ""
    """The entry point's name; of an object named in the settings, its own."""

    def module(self) -> ModuleType:
        """Import the module. Raises `UsageError` when there is none of this name; its own errors are raised as is."""
        name = self.target.partition(":")[0]
        # A console script has its own folder on sys.path; a project's packages are found from where it is run.
        if (here := str(Path.cwd())) not in sys.path:
            sys.path.append(here)
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
            raise UsageError(
                f"there is no module {name!r}",
                where=self.source,
                next="correct the name, install its package, or run from the folder that contains it",
            ) from None

    def object(self) -> Any:
        """The object. Raises `UsageError` when the reference names none, or the module does not have it."""
        module, attribute = self.module(), self.target.partition(":")[2]
        if not attribute:
            raise UsageError(
                f"{self.target!r} names a module, not an object", where=self.source, next=f"{self.target}:NAME"
            )
        try:
            return getattr(module, attribute)
        except AttributeError:
            near = difflib.get_close_matches(attribute, dir(module), n=1)
            raise UsageError(
                f"module {module.__name__!r} has no {attribute!r}",
                where=self.source,
                next=f"did you mean {near[0]!r}?" if near else "define it there, or correct the name",
            ) from None


def references(kind: str, named: Iterable[str] = ()) -> list[Reference]:
    """Every reference of a kind (`scenarios`, `faults`, …): first those of the settings, then the entry points."""
    setting = f"the setting {kind!r}"
    found = [Reference(target, setting, target.partition(":")[2] or target) for target in dict.fromkeys(named)]
    known = {one.target for one in found}
    for point in sorted(importlib.metadata.entry_points(group=f"kit.{kind}"), key=lambda point: point.name):
        if point.value not in known:
            known.add(point.value)
            package = f" of {point.dist.name}" if point.dist else ""
            source = f"the entry point {point.name!r}{package}, group 'kit.{kind}'"
            found.append(Reference(point.value, source, point.name))
    return found


def objects(kind: str, named: Iterable[str] = ()) -> dict[str, Any]:
    """The objects of a kind by name. Raises `UsageError` for two of one name."""
    found: dict[str, tuple[Any, str]] = {}
    for reference in references(kind, named):
        if reference.name in found:
            raise UsageError(
                f"there are two {kind} called {reference.name!r}",
                where=f"{found[reference.name][1]}; {reference.source}",
                next="rename one of them",
            )
        found[reference.name] = (reference.object(), reference.source)
    return {name: value for name, (value, _) in found.items()}


def import_submodules(module: ModuleType) -> None:
    """Import every module directly in a package; does nothing for a plain module."""
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not found.ispkg:
            importlib.import_module(f"{module.__name__}.{found.name}")
