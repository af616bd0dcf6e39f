"""Mixes in files: a mix that failed, what its checkers said, and how often it failed when it was repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from .mix import Mix, from_json

FOLDER = "mixes"
"""Below the report folder."""


@dataclass(frozen=True)
class Kept:
    """A mix in a file. A file may also hold a bare mix."""

    mix: Mix
    findings: Mapping[str, str] = field(default_factory=dict)
    """What each checker said that did not pass."""
    witness: tuple[str, ...] = ()
    """The shortest chain of operations that shows the failure, one line each."""
    failed: int = 0
    """How often it failed of `repeated` times."""
    repeated: int = 0
    found: Mapping[str, Any] = field(default_factory=dict)
    """Where it comes from: run, seed, time, and the size of the first mix that failed."""

    @property
    def is_flaky(self) -> bool:
        return self.failed < self.repeated

    def to_json(self) -> dict[str, Any]:
        return {
            "mix": self.mix.to_json(),
            "findings": dict(self.findings),
            "witness": list(self.witness),
            "failed": self.failed,
            "repeated": self.repeated,
            "found": dict(self.found),
        }


def write(kept: Kept, folder: Path) -> Path:
    """Write it as `<id>.json`; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{kept.mix.id}.json"
    path.write_text(f"{json.dumps(kept.to_json(), indent=2)}\n", encoding="utf-8")
    return path


def read(path: Path) -> Kept:
    """A kept mix, or a bare one. Raises `UsageError` that says what is wrong with the file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}", next="kit mixes lists the kept mixes") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is no JSON file: {error}") from None
    try:
        if isinstance(value, dict) and "mix" in value:
            more = {name: value[name] for name in ("findings", "failed", "repeated", "found") if name in value}
            return Kept(from_json(value["mix"]), witness=tuple(value.get("witness", ())), **more)
        return Kept(from_json(value))
    except UsageError as error:
        raise UsageError(error.what, where=str(path), next=error.next) from None


def all_in(folder: Path) -> list[tuple[Path, Kept]]:
    """The kept mixes of a folder, the latest first."""
    files = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [(path, read(path)) for path in files]
