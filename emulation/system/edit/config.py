"""The settings of the edit container."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import names
from ..clock import Clock
from ..settings import Environment, SettingsError
from .astro import toolchain
from .astro.toolchain import Toolchain

SITE_NODE_MODULES = "/opt/site/node_modules"
"""Where the image has the sample site's modules."""


@dataclass(frozen=True)
class Settings:
    workspace: Path
    """Where the shared file system is mounted (WORKSPACE_PATH)."""
    sessions_table: str
    host: str
    port: int
    repository_url: str
    """The site's git repository; empty: one made of the sample site, on the workspace."""
    default_client_id: str
    default_user_id: str
    """The client whose workspace a hot-reload socket without a session follows; empty for none."""
    metadata_uri: str
    """The ECS task metadata endpoint, empty outside ECS."""
    region: str | None
    git: str
    clock: Clock
    astro: Toolchain | None = None
    """What shows the pages (PREVIEW, SITE_NODE_MODULES); None is the built-in preview."""
    why_builtin: str = ""
    """The reason, when it was not configured."""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Settings:
        """Raises `SettingsError`. AUTO_SHUTDOWN_MINUTES and HERMES_URL, which the deployed container has, are
        not used: a task that exits inside a service is only replaced, so idle time is Hermes' to judge."""
        read = Environment(variables)
        settings = cls(
            workspace=Path(read.text("WORKSPACE_PATH")).absolute(),
            sessions_table=read.text("SESSIONS_TABLE"),
            host=read.text("HOST", default="127.0.0.1"),
            port=read.port("PORT"),
            repository_url=read.text("REPOSITORY_URL", default=""),
            default_client_id=read.text("DEFAULT_CLIENT_ID", default=""),
            default_user_id=read.text("DEFAULT_USER_ID", default=""),
            metadata_uri=read.text("ECS_CONTAINER_METADATA_URI_V4", default=""),
            region=read.text("AWS_REGION", "AWS_DEFAULT_REGION", default="") or None,
            git=shutil.which("git", path=variables.get("PATH")) or "",
            clock=read.clock(),
        )
        preview = read.text("PREVIEW", default="auto")
        modules = Path(read.text("SITE_NODE_MODULES", default=SITE_NODE_MODULES))
        read.done()
        if not settings.git:
            raise SettingsError(f"git was not found on PATH ({variables.get('PATH', '')}); install git")
        try:
            if settings.default_client_id:
                names.client_id(settings.default_client_id)
            if settings.default_user_id:
                names.user_id(settings.default_user_id)
        except names.InvalidName as invalid:
            raise SettingsError(f"DEFAULT_CLIENT_ID or DEFAULT_USER_ID: {invalid}") from None
        return replace(settings, **_preview(preview, variables.get("PATH"), modules))


def _preview(wanted: str, path: str | None, modules: Path) -> dict[str, Any]:
    """`astro` must be there, `auto` takes it where it is. Raises `SettingsError`."""
    if wanted not in ("auto", "astro", "builtin"):
        raise SettingsError(f"PREVIEW must be auto, astro or builtin, got {wanted!r}")
    if wanted == "builtin":
        return {}
    try:
        return {"astro": toolchain.find(path, modules)}
    except toolchain.Missing as missing:
        if wanted == "astro":
            raise SettingsError(f"PREVIEW is astro, and {missing}") from None
        return {"why_builtin": str(missing)}
