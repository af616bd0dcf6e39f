"""Checks that images and running containers were built from these sources, for this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker.errors import NotFound

from ..core.errors import InfraError
from . import cache
from .base import SOURCES
from .build import BASE
from .engine import Engine
from .recipes import Recipe, digest

_SHOWN = 3
"""Changed files that are listed."""


@dataclass(frozen=True)
class ImageCheck:
    """One problem of one image; `wrong` is "" when there is none."""

    image: str
    digest: str
    architecture: str
    wrong: str = ""
    next: str = ""
    note: str = ""
    """What could not be checked."""


def check(engine: Engine, recipes: Sequence[Recipe], others: Sequence[str] = ()) -> list[ImageCheck]:
    """Check the images of `recipes`, `others` (built elsewhere: only presence and architecture), and the containers
    that run any of them."""
    own = {recipe.tag: recipe for recipe in recipes}
    found = []
    for tag in (*own, *(name for name in others if name not in own)):
        image = engine.image(tag)
        if image is None:
            next_ = "kit images build" if tag in own else f"docker pull {tag}, or build it"
            found.append(ImageCheck(tag, "", "", "it is not in the engine", next_))
            continue
        facts = (image.id, str(image.attrs.get("Architecture", "")))
        record, note = _record(engine, own[tag], image) if tag in own else (None, "")
        problems = [*_of_machine(engine, facts[1]), *(_of_sources(own[tag], image, record) if tag in own else ())]
        problems += _of_containers(engine, tag, image.id)
        found += [ImageCheck(tag, *facts, *problem) for problem in problems] or [ImageCheck(tag, *facts, note=note)]
    return found


Problem = tuple[str, str]
"""The problem and the remedy."""


def _of_machine(engine: Engine, architecture: str) -> Iterator[Problem]:
    if architecture != engine.architecture:
        yield (
            f"it is made for {architecture or 'an unknown architecture'}, and the engine's machine is "
            f"{engine.architecture}: it would not start, or be emulated and slow",
            f"build or pull it for linux/{engine.architecture}",
        )


def _of_sources(recipe: Recipe, image: Any, record: Mapping[str, Any] | None) -> Iterator[Problem]:
    rebuild = f"kit images build {recipe.name}"
    sources = image.labels.get(SOURCES)
    if sources is None:
        yield "it was not built by kit images build, so its content is unknown", rebuild
        return
    manifest = recipe.manifest()
    recorded = record if record and record["sources"] == sources else None
    if sources != digest(manifest, recipe.name, image.labels.get(BASE, "")):
        before = recorded["manifest"] if recorded else None
        yield f"it is stale: built from other sources than these{_changed(before, manifest)}", rebuild
    elif recorded and recorded["id"] != image.id:
        yield (
            f"its digest is {image.id[:19]}, but what was built on {recorded['built']} is {recorded['id'][:19]}: "
            "something else was tagged so since",
            rebuild,
        )


def _record(engine: Engine, recipe: Recipe, image: Any) -> tuple[Mapping[str, Any] | None, str]:
    """The recorded build, and why the image cannot be compared with it; "" when it can. Labels are not enough, because
    images made from it inherit them."""
    try:
        record = cache.built().get(engine.id, {}).get(recipe.tag)
    except InfraError as error:
        return None, f"{error.what} ({error.where})"
    if record is None:
        return None, f"no build of it by this user is noted ({cache.notes()})"
    if record["sources"] != image.labels.get(SOURCES):
        return record, f"what was built here on {record['built']} is of other sources ({cache.notes()})"
    return record, ""


def _changed(before: Mapping[str, str] | None, now: Mapping[str, str]) -> str:
    if before is None:
        return ""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f" ({', '.join(names[:_SHOWN])}{more})" if names else ""


def _of_containers(engine: Engine, tag: str, built: str) -> Iterator[Problem]:
    for container in engine.client.api.containers():
        runs, named = container["ImageID"], container["Image"]
        name = container["Names"][0].lstrip("/") if container.get("Names") else container["Id"][:12]
        if runs != built and tag in (named, _name_at_start(engine, container["Id"])):
            yield (
                f"container {name} runs {runs[:19]}, and what was built is {built[:19]}",
                "end the run that started it, or deploy anew: UpdateService with forceNewDeployment",
            )


def _name_at_start(engine: Engine, container: str) -> str:
    """The image name that the container was started with: lists show an id once the name belongs to another image. ""
    when the container has ended meanwhile."""
    try:
        return str(engine.client.api.inspect_container(container)["Config"]["Image"])
    except NotFound:
        return ""
