"""What builds keep between runs, each under the hash of what it was made from."""

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
    """KIT_CACHE, else `webordinary-test-kit` in the user's cache folder. Made when it is not there."""
    told = environ.get("KIT_CACHE")
    path = (
        Path(told) if told else Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "webordinary-test-kit"
    )
    path.mkdir(parents=True, exist_ok=True)
    return path


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder of this name in the cache. What is not there, `make` makes at the path it is given; only
    what is complete gets the name. Raises `InfraError` when the disk is full."""
    wanted = folder() / name
    if wanted.exists():
        return wanted
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=wanted.parent) as place:
        unfinished = Path(place) / wanted.name
        try:
            make(unfinished)
            unfinished.replace(wanted)
        except OSError as error:
            if wanted.exists():  # somebody else was quicker
                return wanted
            raise InfraError(
                f"{name} cannot be made: {error}",
                where=str(wanted.parent),
                next=f"{shutil.disk_usage(wanted.parent).free >> 20} MiB are free there; "
                "KIT_CACHE names another folder",
            ) from error
    return wanted


def notes() -> Path:
    """The file that notes what was built here."""
    return folder() / "images.json"


def built() -> dict[str, Any]:
    """What was built here, by engine and tag; see `remember`. Empty when nothing was. Raises `InfraError` when the
    notes cannot be read."""
    try:
        told = json.loads(notes().read_text(encoding="utf-8"))
        if not isinstance(told, dict):
            raise ValueError("not an object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InfraError(
            f"the notes of what was built are damaged: {error}", where=str(notes()), next=f"remove {notes()}"
        ) from None
    return told


def remember(engine_id: str, tag: str, facts: Mapping[str, Any]) -> None:
    """Note what was built: its id, its sources' manifest, when. Damaged notes are begun anew."""
    try:
        everything = built()
    except InfraError:
        everything = {}
    everything.setdefault(engine_id, {})[tag] = dict(facts)
    unfinished = notes().with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(notes())


def replaced(engine_id: str, tag: str, sources: str, id: str) -> bool:
    """Whether something else than what was built here from these sources has its name: an image made from it carries
    its labels, so they alone do not tell."""
    try:
        record = built().get(engine_id, {}).get(tag)
    except InfraError:
        return False  # `kit images check` says that it cannot be compared
    return record is not None and record["sources"] == sources and record["id"] != id
