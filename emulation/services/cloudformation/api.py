"""The controller: every CloudFormation operation is answered here, none by the base."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...core.controller import Call, Context, Handler, Operation, Watcher
from ...core.errors import not_emulated
from ...state.models import service_model
from .changing import Changing
from .reading import Reading
from .stacks import Stacks


class Cloudformation:
    """Makes stacks of templates, by AWS calls in its own name."""

    def __init__(self, ctx: Context) -> None:
        stacks = Stacks()
        self._reading = Reading(ctx, stacks)
        self._changing = Changing(ctx, stacks)

    def handlers(self) -> Mapping[Operation, Handler]:
        own = {**self._reading.handlers(), **self._changing.handlers()}
        names = service_model("cloudformation").operation_names
        return {("cloudformation", name): own.get(name, _not_emulated) for name in names}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        await self._changing.stop()


async def _not_emulated(call: Call) -> dict[str, Any]:
    raise not_emulated(call.service, call.operation)
