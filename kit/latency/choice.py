"""The latency profile that the settings choose."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import UsageError
from ..settings import Settings

NONE, PUBLISHED, RECORDED = "none", "published", "recorded"
KNOWN = (NONE, PUBLISHED, RECORDED)
_FILE = "latency.toml"


def recorded_file(settings: Settings) -> Path:
    """The file that `kit latency record` writes and the profile `recorded` reads."""
    return settings.report_dir / _FILE


def chosen(settings: Settings) -> str:
    """The profile for the emulated cloud: `none`, `published`, or the absolute path of a TOML file.

    Raises `UsageError` for an unknown name and for `recorded` before anything was recorded.
    """
    name = settings.emulated.latency or NONE
    if name in (NONE, PUBLISHED):
        return name
    path = recorded_file(settings) if name == RECORDED else Path(name)
    if path.is_file():
        return str(path.absolute())
    if name == RECORDED:
        raise UsageError(
            "emulated.latency is `recorded`, and no latency profile is recorded",
            where=str(path),
            next="record one from a run: kit latency record .kit/latest",
        )
    raise UsageError(
        f"emulated.latency is {name!r}; there are {', '.join(KNOWN)}, and the path of a TOML file",
        next="see docs/latency.md",
    )
