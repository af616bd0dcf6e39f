"""Containers, volumes, networks and images of a dead run, identified by their labels."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.clock import Clock, iso
from ...core.errors import InfraError, KitError
from ...images.address import Address, address
from ..collector import Collector, Leftover, Runs
from ..machine import Identity
from ..notes import NotedRun

RUN, TOKEN, PID, BIRTH, HOST, EXPIRES = (
    f"com.webordinary.kit.{name}" for name in ("run", "token", "pid", "birth", "host", "expires")
)
"""Labels of everything a cloud makes: the noted run, and the owning process in case the note is missing."""
_KINDS = ("container", "volume", "network", "image")
"""In the order of removal."""
_BY_HAND = {
    "container": "docker rm -f -v",
    "volume": "docker volume rm",
    "network": "docker network rm",
    "image": "docker image rm -f",
}


@dataclass(frozen=True)
class _Key:
    at: Address
    kind: str
    id: str


@dataclass(frozen=True)
class _Resource:
    """A resource with a run's labels."""

    key: _Key
    name: str
    labels: Mapping[str, str]

    @property
    def token(self) -> str:
        return self.labels.get(TOKEN, "")

    def leftover(self) -> Leftover:
        return Leftover(f"{self.key.kind} {self.name}", self.token, self.key)


class EngineResources(Collector):
    """Searches the engine in the run's note, whichever engine is in use now. An engine that does not answer is a
    leftover itself: the note is kept until it does."""

    name = "container engine"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        left: list[Leftover] = []
        for at, there in _by_engine(runs.over):
            tokens = {one.token for one in there}
            try:
                found = await asyncio.to_thread(_resources, at, TOKEN)
            except KitError as error:
                left += [_unasked(at, one, error) for one in there]
            else:
                left += [thing.leftover() for thing in found if thing.token in tokens]
        return left

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        keyed = [(one, one.key) for one in left if isinstance(one.key, _Key)]
        done: dict[Leftover, str] = {}
        for at in dict.fromkeys(key.at for _, key in keyed):
            there = [(one, key) for one, key in keyed if key.at == at]
            done |= await asyncio.to_thread(_remove, at, sorted(there, key=_order))
        return done

    async def doubtful(self, runs: Runs) -> Sequence[Leftover]:
        """Resources in the noted engines and the one in use that are in no note, unless their owner is alive. They are
        not removed, because another temporary folder may have the note."""
        noted = (*runs.over, *runs.alive)
        tokens = {one.token for one in noted}
        found: list[_Resource] = []
        for at in dict.fromkeys([*(at for at, _ in _by_engine(noted)), *_in_use()]):
            try:
                found += await asyncio.to_thread(_resources, at, RUN)
            except KitError:
                continue  # if it matters to a run that is over, `look` has said so
        now = self._clock.wall()
        found = list({(thing.key.at.url, thing.key.kind, thing.key.id): thing for thing in found}.values())
        return [
            Leftover(f"{thing.key.kind} {thing.name} {owner}; by hand: {_BY_HAND[thing.key.kind]} {thing.name}", token)
            for thing in found
            if (token := thing.token) not in tokens and (owner := _owner(thing.labels, now))
        ]


def _owner(labels: Mapping[str, str], now: float) -> str:
    """Describes an owner that is not running; "" for one that is, or may be."""
    try:
        run, host, expires = labels[RUN], labels[HOST], float(labels[EXPIRES])
        process = Identity(int(labels[PID]), labels[BIRTH])
    except (KeyError, ValueError):
        return "of a run that no note here tells of"
    if host == socket.gethostname():
        gone = f"of {run}, whose process {process.pid} is gone, and which no note here tells of"
        return "" if process.alive() else gone
    return f"of {run} on {host}, which expired at {iso(expires)}" if now > expires else ""


def _by_engine(noted: Sequence[NotedRun]) -> list[tuple[Address, list[NotedRun]]]:
    """The runs with containers, by engine."""
    found: dict[Address, list[NotedRun]] = {}
    for one in noted:
        if engine := one.facts.get("engine"):
            at = Address(**engine) if isinstance(engine, dict) else Address("", {})  # an older kit's: the one in use
            found.setdefault(at, []).append(one)
    return list(found.items())


def _in_use() -> list[Address]:
    try:
        at = address()
    except KitError:
        return []
    return [at] if at.variables else []


def _unasked(at: Address, noted: NotedRun, error: KitError) -> Leftover:
    return Leftover(
        f"everything in the container engine at {at.url}, which cannot be asked ({error.what}); start it, or, "
        f"if it is gone for good, remove {noted.path}",
        noted.token,
    )


def _resources(at: Address, label: str) -> list[_Resource]:
    """Everything in an engine with this label. Raises `KitError`."""
    from ...images.engine import engine  # noqa: PLC0415 - heavy: only where a run used an engine

    with engine(at.variables) as opened:
        if at.url not in ("", opened.address):
            raise InfraError(f"{dict(at.variables)} leads to {opened.address} by now")
        at = Address(opened.address, at.variables)
        return [
            _Resource(_Key(at, kind, item.get("Id") or item["Name"]), _name(item), item.get("Labels") or {})
            for kind in _KINDS
            for item in _listed(opened.client.api, kind, label)
        ]


def _remove(at: Address, left: Sequence[tuple[Leftover, _Key]]) -> dict[Leftover, str]:
    from docker.errors import APIError  # noqa: PLC0415 - heavy: only where there is something to remove

    from ...images.engine import engine  # noqa: PLC0415

    done = {}
    try:
        with engine(at.variables) as opened:
            for one, key in left:
                try:
                    done[one] = _removed(opened.client, key, one.token)
                except APIError as error:
                    if error.status_code != 404:
                        done[one] = str(error.explanation)
    except KitError as error:
        return dict.fromkeys([one for one, _ in left], str(error))
    return done


def _removed(client: Any, key: _Key, token: str) -> str:
    collection = getattr(client, f"{key.kind}s")
    thing = collection.get(key.id)
    if _labels(thing).get(TOKEN) != token:  # the id was reused
        return "is not the run's any more"
    if key.kind == "container":
        thing.remove(force=True, v=True)
    elif key.kind == "image":
        collection.remove(key.id, force=True)
    else:
        thing.remove()
    return "removed"


def _listed(api: Any, kind: str, label: str) -> Sequence[Mapping[str, Any]]:
    """Resources with this label, in one call: the guardian may be removing them meanwhile."""
    filters = {"label": label}
    if kind == "container":
        found = api.containers(all=True, filters=filters)
    elif kind == "volume":
        found = api.volumes(filters=filters)["Volumes"]
    else:
        found = (api.networks if kind == "network" else api.images)(filters=filters)
    listed: Sequence[Mapping[str, Any]] = found or ()
    return listed


def _labels(thing: Any) -> Mapping[str, str]:
    labels = getattr(thing, "labels", None)
    return labels if labels is not None else thing.attrs.get("Labels") or {}


def _name(item: Mapping[str, Any]) -> str:
    names = item.get("Names") or item.get("RepoTags") or [item.get("Name") or item["Id"][:19]]
    return str(names[0]).lstrip("/")


def _order(one: tuple[Leftover, _Key]) -> tuple[int, int]:
    """Volumes of subdirectories, which have longer names, before the volume that contains them."""
    return _KINDS.index(one[1].kind), -len(one[0].what)
