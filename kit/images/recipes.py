"""The recipes of images.toml, and the source files of each image."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import UsageError

_NEVER = {"__pycache__", "node_modules", ".astro", ".mypy_cache", ".ruff_cache", "vendor"}


@dataclass(frozen=True)
class Recipe:
    """One image."""

    name: str
    """The target in the Dockerfile."""
    tag: str
    root: Path
    """The folder of relative paths."""
    sources: Sequence[str]
    requirements: Sequence[str] = ()
    """Lock files in `requirements/`, without their ending."""
    dockerfile: str = "Dockerfile"
    """Relative to the folder of the recipes."""
    on_demand: bool = False
    """Build and check it only when it is named."""
    without_wheels: Sequence[str] = ()
    """Requirements that are built from source in the image."""
    site: str = ""
    """A folder with the package-lock.json of the image's npm packages; "" for none."""

    def files(self) -> dict[str, Path]:
        """Path in the build's context → file, sorted."""
        found = {path.relative_to(self.root).as_posix(): path for path in self._walked()}
        return dict(sorted(found.items()))

    def manifest(self) -> dict[str, str]:
        """Path → SHA-256: equal manifests make equal images on the same base."""
        return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self.files().items()}

    def _walked(self) -> Iterator[Path]:
        for source in self.sources:
            yield from _walk(self.root / source)


@dataclass(frozen=True)
class Recipes:
    folder: Path
    """Where images.toml and the Dockerfile are."""
    base: Recipe
    images: Mapping[str, Recipe]

    def dockerfile(self, recipe: Recipe) -> str:
        """A recipe's Dockerfile: its path in the build's context."""
        return (self.folder / recipe.dockerfile).relative_to(self.base.root).as_posix()

    def chosen(self, names: Sequence[str]) -> list[Recipe]:
        """The named recipes; without names, all but those on demand. Raises `UsageError` for an unknown name."""
        for name in names:
            if name not in self.images:
                raise UsageError(f"no image {name!r}", next=f"there are {', '.join(self.images)}")
        return [recipe for name, recipe in self.images.items() if name in names or not (names or recipe.on_demand)]


def read(folder: Path) -> Recipes:
    """Read the recipes in a folder. Raises `UsageError` when there are none."""
    path = folder / "images.toml"
    try:
        spec = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"the recipes of the images cannot be read: {error}", where=str(path)) from None
    root = folder.parent.parent
    images = {name: Recipe(name=name, root=root, **image) for name, image in spec["images"].items()}
    return Recipes(folder, Recipe(name="base", root=root, **spec["base"]), images)


def digest(manifest: Mapping[str, str], *more: str) -> str:
    """One SHA-256 over a manifest and other inputs of an image."""
    whole = hashlib.sha256()
    for line in (*(f"{name} {content}" for name, content in sorted(manifest.items())), *more):
        whole.update(f"{line}\n".encode())
    return whole.hexdigest()


def _walk(path: Path) -> Iterator[Path]:
    if path.name in _NEVER:
        return
    if path.is_dir():
        for child in path.iterdir():
            yield from _walk(child)
    elif path.is_file() and path.suffix != ".pyc":
        yield path
