"""Translates a container's paths and ports for a process of this machine.

A process shares this machine's file system and loopback. So in its environment, arguments and health check the path of
a mount (`/workspace/site`) becomes the real folder, and a port of its task (`localhost:8080`) the real port.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .runtime import Mount

_LOOPBACK = re.compile(r"(?<![\w.])(localhost|127\.0\.0\.1):(\d+)(?!\d)")


@dataclass(frozen=True)
class Translation:
    mounts: Sequence[Mount]
    ports: Mapping[int, int]

    def value(self, text: str) -> str:
        """Translate a whole value: a path at or below a mount, or a text with ports."""
        return self.path(text) or self.text(text)

    def text(self, text: str) -> str:
        """Translate the task's loopback ports in a text."""
        return _LOOPBACK.sub(lambda hit: f"{hit[1]}:{self.ports.get(int(hit[2]), hit[2])}", text)

    def path(self, path: str) -> str | None:
        """The real path by the innermost mount; None for a path outside of all mounts."""
        for mount in sorted(self.mounts, key=lambda each: len(each.target), reverse=True):
            target = mount.target.rstrip("/")
            if not isinstance(mount.source, Path):
                continue
            if path.rstrip("/") == target:
                return str(mount.source)
            if path.startswith(f"{target}/"):
                return f"{mount.source}{path[len(target) :]}"
        return None
