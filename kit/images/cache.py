"""The cache of builds: files and folders named by the hash of their inputs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import InfraError


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """KIT_CACHE, or `webordinary-test-kit` in the user's cache folder. Created when missing."""
    caches = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(environ.get("KIT_CACHE") or caches / "webordinary-test-kit")
    path.mkdir(parents=True, exist_ok=True)
    return path


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder of this name in the cache. When missing, `make` creates it at a temporary path, and it gets
    the name once it is complete. Raises `InfraError` when the disk is full."""
    wanted = folder() / name
    if wanted.exists():
        return wanted
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=wanted.parent) as temporary:
        unfinished = Path(temporary) / wanted.name
        try:
            make(unfinished)
            unfinished.replace(wanted)
        except OSError as error:
            if wanted.exists():  # another process was faster
                return wanted
            raise InfraError(
                f"{name} cannot be made: {error}",
                where=str(wanted.parent),
                next=f"{shutil.disk_usage(wanted.parent).free >> 20} MiB are free there; "
                "KIT_CACHE names another folder",
            ) from error
    return wanted


def notes() -> Path:
    """The file that records the builds of this user."""
    return folder() / "images.json"


def built() -> dict[str, Any]:
    """The recorded builds by engine and tag; see `remember`. Raises `InfraError` when the file cannot be read."""
    try:
        record = json.loads(notes().read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InfraError(
            f"the notes of what was built are damaged: {error}", where=str(notes()), next=f"remove {notes()}"
        ) from None
    return record


def remember(engine_id: str, tag: str, facts: Mapping[str, Any]) -> None:
    """Record a build: its id, manifest and time. A damaged file is replaced."""
    try:
        everything = built()
    except InfraError:
        everything = {}
    everything.setdefault(engine_id, {})[tag] = dict(facts)
    unfinished = notes().with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(notes())


def replaced(engine_id: str, tag: str, sources: str, id: str) -> bool:
    """Whether another image has the name of the one built here from these sources. Labels cannot tell, because images
    made from it inherit them."""
    try:
        record = built().get(engine_id, {}).get(tag)
    except InfraError:
        return False  # `kit images check` reports it
    return record is not None and record["sources"] == sources and record["id"] != id
