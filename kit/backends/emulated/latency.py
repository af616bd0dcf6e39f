"""The latency profile that the settings choose."""

from __future__ import annotations

from pathlib import Path

from ...core.errors import UsageError
from ...settings import Settings

KNOWN = ("none", "published")


def chosen(settings: Settings) -> str:
    """The profile for the emulated cloud: a known name, or the absolute path of a TOML file.

    Raises `UsageError` for an unknown name.
    """
    name = settings.emulated.latency or "none"
    if name in KNOWN:
        return name
    if Path(name).is_file():
        return str(Path(name).absolute())
    raise UsageError(
        f"emulated.latency is {name!r}; there are {', '.join(KNOWN)}, and the path of a TOML file",
        next="see docs/latency.md",
    )
