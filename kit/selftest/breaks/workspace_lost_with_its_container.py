"""The work lies in the container and not on the shared file system: it goes when the container goes."""

import shutil
from typing import Any

from ..breaking import Break

BREAK = Break(
    "edit",
    "persistence",
    r"the file \S+ in the workspace|on top of exactly",
    mixes=r"exactly_once: .* made no commit|sticky_reads: ",
)

_cloned: set[str] = set()


@BREAK.replaces("edit.repository", "Repository.ensure_clone")
def afresh(ensure_clone: Any, repository: Any) -> None:
    if str(repository.path) not in _cloned:
        _cloned.add(str(repository.path))
        shutil.rmtree(repository.path, ignore_errors=True)
    ensure_clone(repository)


@BREAK.replaces("edit.repository", "Repository.push")
def never_pushed(*_: Any) -> None:
    return None
