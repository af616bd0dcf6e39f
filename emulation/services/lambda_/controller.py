"""The Lambda controller: its operations, the Runtime API, and the services that invoke functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiohttp import web

from ...core.controller import Context, Handler, Operation
from ...gateway.intercept import Interceptor
from ...state.moto_patches import sns_delivery
from ...state.operations import all_handlers
from ..controller_base import ControllerBase
from .event_sources_api import EventSourcesApi
from .fleet import Fleet
from .function import Functions
from .functions_api import FunctionsApi
from .invoke_api import InvokeApi
from .invoker import Invoker
from .permissions import RolePermissions
from .policy_api import PolicyApi
from .process import Launcher
from .topics import Topics


class Lambda(ControllerBase):
    """Versions, aliases, layers, URLs of functions and functions in a VPC are not emulated."""

    def __init__(self, ctx: Context, launcher: Launcher, interceptors: list[Interceptor]) -> None:
        functions = Functions(ctx.region, ctx.account)
        self._fleet = Fleet(ctx, launcher)
        self.invoker = Invoker(ctx, functions, self._fleet)
        self._topics = Topics(ctx, self.invoker)
        self._event_sources = EventSourcesApi(ctx, functions, self.invoker)
        self._apis = (
            FunctionsApi(ctx, functions, self._fleet),
            PolicyApi(ctx, functions),
            InvokeApi(ctx, functions, self._fleet, self.invoker),
            self._event_sources,
        )
        self._interceptors = interceptors
        self._permissions = RolePermissions(ctx)

    def handlers(self) -> Mapping[Operation, Handler]:
        return all_handlers("lambda", *self._apis)

    def web_routes(self) -> Iterable[web.RouteDef]:
        return self._fleet.api.web_routes()

    async def start(self) -> None:
        self._interceptors.append(self._permissions)
        sns_delivery.to_functions(self._topics.deliverer())

    async def stop(self) -> None:
        sns_delivery.to_functions(None)
        if self._permissions in self._interceptors:
            self._interceptors.remove(self._permissions)
        await self._event_sources.stop()
        await self._topics.stop()
        await self.invoker.stop()
        await self._fleet.stop()
