"""What Astro needs on this machine: Node, and the site's modules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST_NODE = (20, 3)
"""As Astro 5's package.json has it (`engines`), of the lines that are kept up."""
_ANSWERS_WITHIN = 20.0
"""Wall seconds for `node --version`."""


class Missing(Exception):
    """Real Astro cannot run here; the message says what is missing and what to do."""


@dataclass(frozen=True)
class Toolchain:
    node: str
    """The executable."""
    modules: Path
    """A node_modules folder with Astro in it."""
    astro: str
    """Its version."""


def node(path: str | None) -> str:
    """The executable of Node on a PATH. Raises `Missing`, also when it is too old."""
    oldest = ".".join(map(str, OLDEST_NODE))
    executable = shutil.which("node", path=path)
    if executable is None:
        raise Missing(f"node is not on PATH; install Node {oldest} or newer")
    try:
        version = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, check=True, timeout=_ANSWERS_WITHIN
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"{executable} does not run: {error}") from None
    found = re.fullmatch(r"v(\d+)\.(\d+)\.\d+.*", version)
    if found is None or (int(found[1]), int(found[2])) < OLDEST_NODE:
        raise Missing(f"{executable} is Node {version}; Astro needs {oldest} or newer")
    return executable


def find(path: str | None, modules: Path) -> Toolchain:
    """Node on a PATH, and Astro in a folder. Raises `Missing`."""
    executable = node(path)
    manifest = modules / "astro" / "package.json"
    try:
        version = str(json.loads(manifest.read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        raise Missing(
            f"there is no Astro in {modules}; set SITE_NODE_MODULES to the folder in which npm ci installed it"
        ) from None
    return Toolchain(executable, modules.resolve(), version)
