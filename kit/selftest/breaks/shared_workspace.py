"""All users of a client share one clone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(project: Any) -> Any:
        def shared(self: Any, client_id: str, user_id: str) -> Path:
            own: Path = project(self, client_id, "everybody")
            alias = own.parent.with_name(part("names").user_folder(user_id)) / "project"
            if not alias.is_symlink():
                alias.parent.mkdir(parents=True, exist_ok=True)
                alias.symlink_to(own)
            return own

        return shared

    wrap(part("edit.workspace").Workspace, "project", by)
    wrap(part("edit.work"), "lock_name", lambda lock_name: lambda client_id, _user: lock_name(client_id, "everybody"))


_SAYS = r"the markers in the (files|history) of \S+.* no others\nseen: .*foreign: (?!none)"

BREAK = Break("edit", "concurrency", _SAYS, apply)
