"""`python -m emulation.system.edit.astro.install`: has the sample site's modules on this machine, once.

Prints a JSON line, `{"node_modules", "astro", "node"}`. They are those of SITE_NODE_MODULES where it is set; else what
`npm ci` makes of the site's package-lock.json in a folder below the user's cache directory, which it names on standard
error before it begins. Exit status 3, with the reason on standard error, where real Astro cannot run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from . import toolchain
from .toolchain import Missing, Toolchain

SITE = Path(__file__).parents[2] / "site"
_FILES = ("package.json", "package-lock.json")
_INSTALLS_WITHIN = 600.0
"""Wall seconds for `npm ci`; it takes 10 to 30."""


def cache_folder(variables: Mapping[str, str]) -> Path:
    """Where the modules of this lock file are kept for this user and this kind of machine."""
    home = Path(variables.get("HOME") or Path.home())
    if sys.platform == "darwin":
        caches = home / "Library" / "Caches"
    else:
        caches = Path(variables.get("XDG_CACHE_HOME") or home / ".cache")
    lock = hashlib.sha256((SITE / "package-lock.json").read_bytes()).hexdigest()[:16]
    return caches / "webordinary-test-kit" / f"site-{lock}-{sys.platform}-{os.uname().machine}"


def installed(variables: Mapping[str, str]) -> Toolchain:
    """The site's modules, installed if need be. Raises `Missing`."""
    path = variables.get("PATH")
    if set_modules := variables.get("SITE_NODE_MODULES"):
        return toolchain.find(path, Path(set_modules))
    toolchain.node(path)
    folder = cache_folder(variables)
    if not (folder / "node_modules" / "astro").is_dir():
        _install(folder, variables)
    return toolchain.find(path, folder / "node_modules")


def _install(folder: Path, variables: Mapping[str, str]) -> None:
    """They appear whole or not at all; of several that install at once, one wins."""
    npm = shutil.which("npm", path=variables.get("PATH"))
    if npm is None:
        raise Missing(
            "npm is not on PATH, and the site's modules are not installed; install npm, which comes with Node"
        )
    sys.stderr.write(f"installing the sample site's npm packages, once, in {folder} …\n")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".installing-") as making:
            _run_npm(npm, Path(making), variables)
            try:
                Path(making, "whole").rename(folder)
            except OSError:
                if not (folder / "node_modules" / "astro").is_dir():
                    raise
    except OSError as error:
        raise Missing(f"the site's modules cannot be kept in {folder}: {error}; set XDG_CACHE_HOME") from None


def _run_npm(npm: str, making: Path, variables: Mapping[str, str]) -> None:
    whole = making / "whole"
    whole.mkdir()
    for file in _FILES:
        shutil.copy(SITE / file, whole)
    # No scripts: nothing that a package brings along runs but when Astro itself does.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    try:
        done = subprocess.run(
            command,
            cwd=whole,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_INSTALLS_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Missing(f"npm ci did not end within {_INSTALLS_WITHIN:g} s") from None
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise Missing(f"npm ci failed with status {done.returncode}: {said[:500]}")


def main() -> None:
    try:
        found = installed(os.environ)
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        raise SystemExit(3) from None
    answer = {"node_modules": str(found.modules), "astro": found.astro, "node": found.node}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
