"""Backends of other packages: the setting `backend`, and the entry-point group `kit.backends`."""

from __future__ import annotations

import difflib
from pathlib import Path

from ..core.errors import UsageError
from ..core.extensions import objects
from ..core.history import History
from ..settings import Settings
from .interface import Backend


def registered_backend(settings: Settings, folder: Path, history: History) -> Backend:
    """The backend that the setting names, made with these arguments: it starts nothing before its `start`.

    Raises `UsageError` for a name that is not registered.
    """
    wanted = settings.backend
    known = objects("backends", [wanted] if ":" in wanted else [])
    name = wanted.partition(":")[2] or wanted
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"no backend is called {wanted!r}",
            where="the setting 'backend'",
            next=f"did you mean {near[0]!r}?" if near else "name it as module:Class, or install its package",
        )
    made: Backend = known[name](settings, folder, history)
    return made
