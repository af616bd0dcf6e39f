"""The controller of Application Load Balancers.

elbv2 calls --> Operations --> Declared: the routing table --> Plane: what happens
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ...core.addressing import Addressing
from ...core.controller import Context, Datum, Handler, Operation, Watcher
from .configuration import Declared
from .links import Links
from .operations import Operations
from .data_plane import Plane

ADDRESS_TAG = "emulation:address"
"""The tag on every listener that says where it really listens (`127.0.0.1:<port>`)."""


class Alb:
    """Every declared load balancer listens on loopback, and on the bridge of the run's containers if there is one.

    Its DNSName is `127.0.0.1:<port>`, or the bridge's address, chosen and held from its creation on. There listens the
    listener with the lowest declared port; every other one has a port of its own. All are told by the tag
    `emulation:address` (DescribeTags on the listener) and by `GET /_emulation/load-balancers`.
    """

    def __init__(self, ctx: Context, addressing: Addressing | None = None) -> None:
        self._aws = ctx.aws
        self._declared = Declared(ctx.aws)
        self._plane = Plane(
            clock=ctx.clock,
            ids=ctx.ids,
            events=ctx.events,
            table=lambda: self._declared.table,
            workdir=ctx.workdir,
            log=ctx.log,
            addressing=addressing,
        )
        self._operations = Operations(ctx.aws, self._declared, self._plane.targets, self._apply, self._plane.address)
        self._told: dict[str, str] = {}

    @property
    def links(self) -> Links:
        """Where faults cut or slow the way to a target."""
        return self._plane.links

    def handlers(self) -> Mapping[Operation, Handler]:
        return self._operations.handlers()

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"load-balancers": self._overview}

    async def start(self) -> None:
        await self._operations.read_everything()

    async def stop(self) -> None:
        await self._plane.close()

    async def collect(self) -> Iterable[Datum]:
        """The metrics AWS/ApplicationELB since the last time."""
        return self._plane.collect()

    async def _apply(self) -> None:
        await self._plane.apply()
        for arn in self._declared.table.listeners:
            address = self._plane.listener_address(arn)
            if self._told.get(arn) != address:
                tags = [{"Key": ADDRESS_TAG, "Value": address}]
                await self._aws.store("elbv2", "AddTags", ResourceArns=[arn], Tags=tags)
                self._told[arn] = address

    async def _overview(self) -> list[dict[str, Any]]:
        return self._plane.overview()
