"""All users of a client share one clone."""

from pathlib import Path
from typing import Any

from ..breaking import Break, part

BREAK = Break(
    "edit",
    "concurrency",
    r"the markers in the (files|history) of \S+.* no others\nseen: .*foreign: (?!none)",
    mixes=r"isolation: .* surfaced in",
)


@BREAK.replaces("edit.workspace", "Workspace.project")
def shared(project: Any, workspace: Any, client_id: str, user_id: str) -> Path:
    clone: Path = project(workspace, client_id, "everybody")
    alias = clone.parent.with_name(part("names").user_folder(user_id)) / "project"
    if not alias.is_symlink():
        alias.parent.mkdir(parents=True, exist_ok=True)
        alias.symlink_to(clone)
    return clone


@BREAK.replaces("edit.work", "lock_name")
def one_lock(lock_name: Any, client_id: str, _user_id: str) -> Any:
    return lock_name(client_id, "everybody")
