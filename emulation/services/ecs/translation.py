"""A container's paths and ports, as a process of this machine has to be told them.

A process has no file system and no loopback of its own. So where its environment, arguments or health check name
a mount (`/workspace/site`) or a port of its own task (`localhost:8080`), the real folder or port takes its place.
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
        """A whole value: a path at or below a mount, or a text that names a port of the task's loopback."""
        return self.path(text) or self.text(text)

    def text(self, text: str) -> str:
        """A text with ports of the task's loopback in it, such as a health check's command."""
        return _LOOPBACK.sub(lambda hit: f"{hit[1]}:{self.ports.get(int(hit[2]), hit[2])}", text)

    def path(self, path: str) -> str | None:
        """The real path; None for what does not lie at or below a mount. The innermost mount counts."""
        for mount in sorted(self.mounts, key=lambda each: len(each.target), reverse=True):
            target = mount.target.rstrip("/")
            if not isinstance(mount.source, Path):
                continue
            if path.rstrip("/") == target:
                return str(mount.source)
            if path.startswith(f"{target}/"):
                return f"{mount.source}{path[len(target) :]}"
        return None
