"""The sample site's npm packages (Astro), installed by its lock file into one archive."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from ..core.errors import InfraError
from . import cache
from .wheels import Platform

_FILES = ("package.json", "package-lock.json")


def node_modules(site: Path, platform: Platform) -> Path | None:
    """`node_modules` for the platform of the base image, as a tar archive; installed once for each lock file. None when
    this machine has no npm: then the build installs them and needs a network."""
    npm = shutil.which("npm")
    contents = [(site / name).read_bytes() for name in _FILES]
    name = f"site/{hashlib.sha256(b'+'.join([platform.npm_cpu.encode(), *contents])).hexdigest()[:16]}.tar"
    if npm is None and not (cache.folder() / name).exists():
        return None

    def install(archive: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="kit-site-") as folder:
            for file in _FILES:
                shutil.copy(site / file, folder)
            argv = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            argv += ["--os=linux", f"--cpu={platform.npm_cpu}", "--libc=glibc"]
            done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise InfraError(
                    f"npm ci failed: {_errors(done.stderr)}",
                    where=str(site / "package-lock.json"),
                    next="an npm registry must be reachable from this machine the first time",
                )
            with tarfile.open(archive, "w") as tar:
                tar.add(Path(folder) / "node_modules", "node_modules", filter=plain)

    return cache.kept(name, install)


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member without dates, owners and modes other than the executable bit, which differ between machines."""
    member.mtime = 0
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if not member.issym():
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


def _errors(said: str) -> str:
    """The first errors of npm, without the help text that follows."""
    lines = [line.removeprefix("npm error").strip() for line in said.splitlines() if line.startswith("npm error")]
    return "; ".join(line for line in lines if line)[:600] or said.strip()[-600:]
