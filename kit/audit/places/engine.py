"""What a dead run left in the container engine: containers, volumes, networks, images, told by their labels."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kit.audit.ledger import Noted
from kit.audit.place import Leftover, Runs
from kit.errors import KitError

TOKEN = "com.webordinary.kit.token"
"""The label that says which run a thing is of."""
_KINDS = ("container", "volume", "network", "image")
"""In the order in which they can be removed."""


class EngineThings:
    """Looks only where a run's note says that its tasks were containers: an engine takes its time to be asked."""

    name = "container engine"

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        tokens = [noted.token for noted in runs.over if noted.facts.get("engine")]
        if not tokens:
            return []
        try:
            found = await asyncio.to_thread(_things)
        except KitError as error:
            what = f"whatever there is in the container engine, which cannot be asked ({error})"
            return [Leftover(what, token) for token in tokens]
        return [one for one in found if one.token in tokens]

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        return await asyncio.to_thread(_remove, [one for one in left if one.key is not None])

    async def doubtful(self, runs: Runs) -> Sequence[Leftover]:
        known = {noted.token for noted in (*runs.over, *runs.alive)}
        if not any(_used_engine(noted) for noted in (*runs.over, *runs.alive)):
            return []
        try:
            found = await asyncio.to_thread(_things)
        except KitError:
            return []
        return [one for one in found if one.token not in known]


def _used_engine(noted: Noted) -> bool:
    return bool(noted.facts.get("engine"))


def _things() -> list[Leftover]:
    """Everything in the engine that carries a run's token. Raises `KitError`."""
    from kit.images.engine import engine  # noqa: PLC0415 - heavy: only where a run used an engine

    with engine() as opened:
        found = []
        for kind in _KINDS:
            for thing in _listed(opened.client, kind):
                labels = _labels(thing)
                if TOKEN in labels:
                    found.append(Leftover(f"{kind} {_name(thing)}", labels[TOKEN], (kind, thing.id)))
    return found


def _remove(left: Sequence[Leftover]) -> dict[Leftover, str]:
    from docker.errors import APIError  # noqa: PLC0415 - heavy: only where there is something to remove

    from kit.images.engine import engine  # noqa: PLC0415

    done = {}
    try:
        with engine() as opened:
            for one in sorted(left, key=_order):
                assert isinstance(one.key, tuple)
                kind, id = one.key
                try:
                    done[one] = _removed(opened.client, kind, id, one.token)
                except APIError as error:
                    if error.status_code != 404:
                        done[one] = str(error.explanation)
    except KitError as error:
        return dict.fromkeys(left, str(error))
    return done


def _removed(client: Any, kind: str, id: str, token: str) -> str:
    collection = getattr(client, f"{kind}s")
    thing = collection.get(id)
    if _labels(thing).get(TOKEN) != token:  # the id is another's by now
        return "is not the run's any more"
    if kind == "container":
        thing.remove(force=True, v=True)
    elif kind == "image":
        collection.remove(id, force=True)
    else:
        thing.remove()
    return "removed"


def _listed(client: Any, kind: str) -> Iterator[Any]:
    filters = {"label": TOKEN}
    every = {"all": True} if kind == "container" else {}
    yield from getattr(client, f"{kind}s").list(filters=filters, **every)


def _labels(thing: Any) -> Mapping[str, str]:
    labels = getattr(thing, "labels", None)
    return labels if labels is not None else thing.attrs.get("Labels") or {}


def _name(thing: Any) -> str:
    return str(getattr(thing, "name", None) or thing.short_id)


def _order(one: Leftover) -> tuple[int, int]:
    """Volumes of directories before the whole they are a part of, whose names are shorter."""
    return _KINDS.index(one.what.partition(" ")[0]), -len(one.what)
