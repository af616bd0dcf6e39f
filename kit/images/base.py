"""The base image: a named one, one from a registry, or one made of Debian packages when no registry is reachable."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker

from ..core.errors import InfraError, UsageError
from . import cache
from .engine import Engine
from .recipes import Recipe, digest

SOURCES = "com.webordinary.image.sources"
"""The label with the hash of an image's sources."""

Say = Callable[[str], None]


def base(engine: Engine, recipe: Recipe, wanted_base: str | None, say: Say) -> tuple[str, Any]:
    """The name of the base image and the image. `wanted_base` is the name of an image, "registry" or "debootstrap".
    Raises `UsageError`, `InfraError`."""
    if wanted_base and wanted_base not in ("registry", "debootstrap"):
        return wanted_base, _named(engine, wanted_base, say)
    wanted = digest(recipe.manifest(), engine.architecture)
    existing = engine.image(recipe.tag)
    if existing is not None and existing.labels.get(SOURCES) == wanted:
        return recipe.tag, existing
    script = recipe.root / recipe.sources[0] / "rootfs.sh"
    if wanted_base != "debootstrap":
        try:
            return recipe.tag, _from_registry(engine, recipe, wanted, say)
        except docker.errors.APIError as error:
            # Fall back only when the registry is unreachable; other errors are reported.
            if wanted_base == "registry" or not _unreachable(str(error)):
                raise
            say(f"no registry can be reached ({_short(error)}); the base is made of Debian packages")
        except docker.errors.BuildError as error:
            raise InfraError(f"the base image cannot be built: {error}", where=str(script.parent)) from error
    return recipe.tag, _from_packages(engine, recipe, script, wanted, say)


def _named(engine: Engine, name: str, say: Say) -> Any:
    existing = engine.image(name)
    if existing is not None:
        return existing
    say(f"pulling {name}")
    try:
        return engine.client.images.pull(*_with_tag(name))
    except docker.errors.APIError as error:
        raise UsageError(
            f"the base image {name} is not in the engine and cannot be pulled: {_short(error)}",
            next="--base debootstrap makes one of Debian packages",
        ) from error


def _from_registry(engine: Engine, recipe: Recipe, wanted: str, say: Say) -> Any:
    dockerfile = (recipe.root / recipe.sources[0] / "Dockerfile").read_text(encoding="utf-8")
    origin = next(line.split()[1] for line in dockerfile.splitlines() if line.startswith("FROM "))
    engine.client.images.pull(*_with_tag(origin))
    say(f"building {recipe.tag} from {origin}")
    image, _ = engine.client.images.build(
        fileobj=io.BytesIO(dockerfile.encode()), tag=recipe.tag, labels={SOURCES: wanted}, rm=True, forcerm=True
    )
    return image


def _from_packages(engine: Engine, recipe: Recipe, script: Path, wanted: str, say: Say) -> Any:
    def make(archive: Path) -> None:
        if shutil.which("debootstrap") is None:
            raise InfraError(
                "no registry can be reached, and debootstrap, which makes a base image without one, is not installed",
                next="apt-get install debootstrap (as root, on Debian or Ubuntu), or name an image: --base IMAGE",
            )
        say("debootstrap: this takes a minute, once")
        done = subprocess.run(["sh", str(script), str(archive)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise InfraError(f"the base image cannot be made: {done.stderr.strip()[-800:]}", where=str(script))

    archive = cache.kept(f"base/{wanted[:16]}.tar", make)
    if not tarfile.is_tarfile(archive):
        raise InfraError("the cached base image is damaged", where=str(archive), next="delete it")
    name, tag = _with_tag(recipe.tag)
    changes = [f"LABEL {SOURCES}={wanted}", 'CMD ["python3"]', "ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"]
    say(f"importing {recipe.tag}")
    engine.client.api.import_image_from_file(str(archive), repository=name, tag=tag, changes=changes)
    return engine.client.images.get(recipe.tag)


def _with_tag(name: str) -> tuple[str, str]:
    if "@" in name:
        return name, ""
    repository, colon, tag = name.rpartition(":")
    return (repository, tag) if colon and "/" not in tag else (name, "latest")


def _unreachable(message: str) -> bool:
    signs = ("no such host", "dial tcp", "i/o timeout", "connection refused", "TLS handshake", "Client.Timeout",
             "no route to host", "network is unreachable", "context deadline exceeded")  # fmt: skip
    return any(sign in message for sign in signs)


def _short(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error).strip()[:200]
