"""Builds images from a context that is put together on this machine, so that the build needs no network."""

from __future__ import annotations

import datetime
import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..core.errors import InfraError
from . import cache
from .base import SOURCES, Say, base
from .engine import Engine, engine_error
from .recipes import Recipe, Recipes, digest
from .site import node_modules, plain
from .wheels import Platform, ask, wheels

BASE = "com.webordinary.image.base"
"""The label with the id of the image below."""
BASE_SIZE = "com.webordinary.image.base-size"
"""The label with that image's size in bytes."""
_VENDOR = "emulation/images/vendor"


@dataclass(frozen=True)
class Built:
    """One image in the engine."""

    tag: str
    id: str
    size: int
    """Bytes."""
    above_base: int
    """Bytes on top of its base."""
    fresh: bool
    """False when it was up to date."""


def build(
    engine: Engine, recipes: Recipes, chosen: Sequence[Recipe], *, base_name: str | None = None, say: Say
) -> list[Built]:
    """Build and tag what is not up to date. Raises `UsageError` or `InfraError` with the engine's last output."""
    name, image = base(engine, recipes.base, base_name, say)
    platform: Platform | None = None
    done = []
    for recipe in chosen:
        manifest = recipe.manifest()
        sources = digest(manifest, recipe.name, image.id)
        existing = engine.image(recipe.tag)
        if existing is not None and _up_to_date(engine, recipe, existing, sources):
            done.append(_built(recipe, existing, fresh=False))
            continue
        platform = platform or ask(engine, image, name)
        say(f"building {recipe.tag}")
        labels = {SOURCES: sources, BASE: image.id, BASE_SIZE: str(image.attrs["Size"])}
        with tempfile.TemporaryFile() as stream:
            complete = context(recipes, recipe, platform, stream)
            stream.seek(0)
            _build(engine, recipes, recipe, labels, stream, network="none" if complete else "default")
        made = engine.client.images.get(recipe.tag)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        cache.remember(engine.id, recipe.tag, {"id": made.id, "sources": sources, "built": now, "manifest": manifest})
        done.append(_built(recipe, made, fresh=True))
    return done


def _up_to_date(engine: Engine, recipe: Recipe, existing: Any, sources: str) -> bool:
    return existing.labels.get(SOURCES) == sources and not cache.replaced(engine.id, recipe.tag, sources, existing.id)


def context(recipes: Recipes, recipe: Recipe, platform: Platform, stream: IO[bytes]) -> bool:
    """Write a build's context as a tar archive; returns whether it is complete, so that the build needs no network."""
    complete = True
    with tarfile.open(fileobj=stream, mode="w") as tar:
        files = recipe.files() | {path: recipes.base.root / path for path in _dockerfiles(recipes, recipe)}
        for name, path in sorted(files.items()):
            tar.add(path, name, recursive=False, filter=plain)
        for lock in recipe.requirements:
            folder = wheels(recipes.folder / "requirements", lock, platform, recipe.without_wheels)
            for wheel in sorted(folder.iterdir()):
                tar.add(wheel, f"{_VENDOR}/{lock}/{wheel.name}", filter=plain)
        if recipe.site:
            archive = node_modules(recipe.root / recipe.site, platform)
            if archive is None:
                complete = False
            else:
                tar.add(archive, f"{_VENDOR}/site/node_modules.tar", filter=plain)
    return complete


def _dockerfiles(recipes: Recipes, recipe: Recipe) -> Iterator[str]:
    """The files that every build reads."""
    root = recipes.base.root
    for path in (recipes.folder / recipe.dockerfile, recipes.folder / "install.sh", recipes.folder / "health.py"):
        yield path.relative_to(root).as_posix()
    for lock in sorted((recipes.folder / "requirements").iterdir()):
        yield lock.relative_to(root).as_posix()


def _build(
    engine: Engine, recipes: Recipes, recipe: Recipe, labels: Mapping[str, str], stream: IO[bytes], *, network: str
) -> None:
    words = engine.client.api.build(
        fileobj=stream,
        custom_context=True,
        dockerfile=recipes.dockerfile(recipe),
        target=recipe.name,
        tag=recipe.tag,
        buildargs={"BASE": labels[BASE]},
        labels=dict(labels),
        network_mode=network,
        rm=True,
        forcerm=True,
        decode=True,
    )
    _follow(words, recipe, recipes.folder / recipe.dockerfile)


def _follow(words: Iterator[dict[str, Any]], recipe: Recipe, where: Path) -> None:
    said = io.StringIO()
    for word in words:
        said.write(word.get("stream", ""))
        if "error" in word:
            last = "".join(said.getvalue().splitlines(keepends=True)[-12:])
            raise engine_error(f"{word['error']}\n{last}", str(where), doing=f"{recipe.tag} cannot be built")
    if "Successfully built" not in said.getvalue() and "Successfully tagged" not in said.getvalue():
        raise InfraError(f"{recipe.tag}: the engine did not say that it was built", where=str(where))


def _built(recipe: Recipe, image: Any, *, fresh: bool) -> Built:
    size = int(image.attrs["Size"])
    return Built(recipe.tag, image.id, size, size - int(image.labels.get(BASE_SIZE, 0)), fresh)
