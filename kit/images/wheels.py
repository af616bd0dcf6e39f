"""Downloads wheels for the platform of a base image."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InfraError, UsageError
from . import cache
from .engine import Engine, engine_error

_ASK = """\
import json, platform, shutil, sys
import venv
print(json.dumps({"python": list(sys.version_info[:2]), "machine": platform.machine(), "libc": platform.libc_ver(),
                  "git": shutil.which("git") is not None}))
"""
_OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Platform:
    """The platform of a base image."""

    python: tuple[int, int]
    machine: str
    """x86_64 or aarch64."""
    glibc: tuple[int, int]

    @property
    def npm_cpu(self) -> str:
        return {"x86_64": "x64", "aarch64": "arm64"}.get(self.machine, self.machine)

    def tags(self) -> Iterator[str]:
        """The platform tags of compatible wheels, newest first."""
        for minor in range(self.glibc[1], 4, -1):
            yield f"manylinux_{self.glibc[0]}_{minor}_{self.machine}"
            older = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}.get(minor)
            if older is not None:
                yield f"{older}_{self.machine}"


def ask(engine: Engine, base: Any, name: str) -> Platform:
    """Run a base image once to read its platform. Raises `UsageError` when it lacks Python, glibc or git."""
    try:
        said = engine.client.containers.run(
            base.id,
            ["python3", "-c", _ASK],
            entrypoint="",
            network_mode="none",
            remove=True,
            labels={"com.webordinary.image": "question"},
        )
    except Exception as error:
        if "exec format error" in str(error):
            raise engine_error(str(error), name, doing="the base image cannot run") from error
        raise UsageError(
            f"the base image {name} has no usable Python: {str(error).strip()[-300:]}",
            next="it needs Python 3.11 or newer with its venv module, git and CA certificates",
        ) from error
    facts: Mapping[str, Any] = json.loads(said)
    python: tuple[int, int] = (facts["python"][0], facts["python"][1])
    if python < _OLDEST_PYTHON or facts["libc"][0] != "glibc" or not facts["git"]:
        raise UsageError(
            f"the base image {name} has Python {python[0]}.{python[1]}, "
            f"{facts['libc'][0] or 'another C library than glibc'}, {'git' if facts['git'] else 'no git'}",
            next="it needs Python 3.11 or newer, glibc and git; python:3.13-bookworm has them",
        )
    major, _, minor = str(facts["libc"][1]).partition(".")
    return Platform(python, facts["machine"], (int(major), int(minor)))


def wheels(locks: Path, name: str, platform: Platform, without: Sequence[str] = ()) -> Path:
    """A folder with the wheels of a lock file in `locks` and of pip, and the sources of packages `without` wheels.
    Downloaded once."""
    texts = [(locks / f"{lock}.txt").read_bytes() for lock in ("pip", name)]
    hashed = hashlib.sha256(b"\n".join([repr(platform).encode(), *texts])).hexdigest()[:16]

    def download(into: Path) -> None:
        if importlib.util.find_spec("pip") is None:
            raise UsageError("pip is not installed beside the kit", next=f"{sys.executable} -m ensurepip")
        version = "".join(map(str, platform.python))
        argv = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        argv += ["--require-hashes", "--only-binary", ":all:", "--implementation", "cp"]
        argv += ["--no-binary", ",".join(without)] if without else []
        argv += ["--python-version", version, "--abi", f"cp{version}", "--abi", "abi3", "--abi", "none"]
        argv += [word for tag in platform.tags() for word in ("--platform", tag)]
        argv += ["--dest", str(into), "-r", str(locks / "pip.txt"), "-r", str(locks / f"{name}.txt")]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise InfraError(
                f"the wheels of {name} cannot be downloaded: {done.stderr.strip()[-800:]}",
                where=str(locks / f"{name}.txt"),
                next="a package index must be reachable from this machine the first time; later builds use the cache",
            )

    return cache.kept(f"wheels/{name}-{hashed}", download)
