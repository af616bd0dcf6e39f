"""The work lies in the container and not on the shared file system: it goes when the container goes."""

from __future__ import annotations

import shutil
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    repository = part("edit.repository").Repository
    seen: set[str] = set()

    def by(ensure_clone: Any) -> Any:
        def afresh(self: Any) -> None:
            if str(self.path) not in seen:
                seen.add(str(self.path))
                shutil.rmtree(self.path, ignore_errors=True)
            ensure_clone(self)

        return afresh

    wrap(repository, "ensure_clone", by)
    wrap(repository, "push", lambda _push: lambda _self, _branch: None)


BREAK = Break("edit", "persistence", r"the file \S+ in the workspace|on top of exactly", apply)
