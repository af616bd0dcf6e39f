"""The optional dependencies: which modules an extra of the distribution installs, and the error when one is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence

from .errors import UsageError

DISTRIBUTION = "webordinary-test-kit"
MODULES: Mapping[str, Sequence[str]] = {
    "docker": ("aiodocker", "docker"),
    "property": ("hypothesis",),
    "localstack": ("aiodocker", "docker", "testcontainers"),
}
"""Extra → the modules that the kit imports only where it is used; pyproject.toml has their distributions."""


def require(extra: str, use: str) -> None:
    """Raise `UsageError` when a module of the extra is not installed; `use` is what needs it, for the message."""
    missing = [name for name in MODULES[extra] if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"{use} needs {', '.join(missing)}, which is not installed", next=f"pip install '{DISTRIBUTION}[{extra}]'"
        )
