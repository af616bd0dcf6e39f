"""The controller of Application Load Balancers.

elbv2 calls --> Operations --> Configuration --routing table--> DataPlane
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from ...core.addressing import Addressing
from ...core.controller import Context, Datum, Handler, Operation
from ...state.operations import handlers
from ..controller_base import ControllerBase
from .configuration import Configuration
from .data_plane import DataPlane
from .links import Links
from .operations import Operations

ADDRESS_TAG = "emulation:address"
"""Tag of every listener with its address on this machine, `127.0.0.1:<port>`."""


class Alb(ControllerBase):
    """Serves every load balancer on loopback, and on the bridge of the run's containers if there is one.

    A load balancer keeps its DNSName, `127.0.0.1:<port>` or the bridge's address, from its creation on. That port is
    for the listener with the lowest port number; each other listener gets another port. Addresses are in the tag
    `emulation:address` of the listener and in `GET /_emulation/load-balancers`.
    """

    def __init__(self, ctx: Context, addressing: Addressing | None = None) -> None:
        self._aws = ctx.aws
        self._configuration = Configuration(ctx.aws)
        self._data_plane = DataPlane(
            clock=ctx.clock,
            ids=ctx.ids,
            events=ctx.events,
            table=lambda: self._configuration.table,
            workdir=ctx.workdir,
            log=ctx.log,
            latency=ctx.latency,
            addressing=addressing,
        )
        self._operations = Operations(
            ctx.aws, self._configuration, self._data_plane.targets, self._apply, self._data_plane.address
        )
        self._tagged: dict[str, str] = {}

    @property
    def links(self) -> Links:
        """The network paths to targets, for fault injection."""
        return self._data_plane.links

    def handlers(self) -> Mapping[Operation, Handler]:
        return handlers("elbv2", self._operations)

    def routes(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {"load-balancers": self._overview}

    async def start(self) -> None:
        await self._operations.read_everything()

    async def stop(self) -> None:
        await self._data_plane.close()

    async def collect(self) -> Iterable[Datum]:
        """The AWS/ApplicationELB metrics since the last call."""
        return self._data_plane.collect()

    async def _apply(self) -> None:
        await self._data_plane.apply()
        for arn in self._configuration.table.listeners:
            address = self._data_plane.listener_address(arn)
            if self._tagged.get(arn) != address:
                tags = [{"Key": ADDRESS_TAG, "Value": address}]
                await self._aws.store("elbv2", "AddTags", ResourceArns=[arn], Tags=tags)
                self._tagged[arn] = address

    async def _overview(self) -> list[dict[str, Any]]:
        return self._data_plane.overview()
