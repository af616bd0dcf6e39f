"""Base classes of controllers that need only a part of the `Controller` protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.controller import Call, Handler, Operation, Watcher
from ..core.errors import not_emulated
from ..state.models import service_model


class ControllerBase:
    """A `Controller` without operations, watchers or background tasks; subclasses override what they have."""

    def handlers(self) -> Mapping[Operation, Handler]:
        return {}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None:
        """Start nothing."""

    async def stop(self) -> None:
        """Stop nothing."""


class ServiceController(ControllerBase):
    """Answers every operation of `service`, botocore's name: those of `operations`, and the others with an error."""

    service: str

    def operations(self) -> Mapping[str, Handler]:
        """The emulated operations."""
        raise NotImplementedError

    def handlers(self) -> Mapping[Operation, Handler]:
        emulated = self.operations()
        names = service_model(self.service).operation_names
        return {(self.service, name): emulated.get(name, _refuse) for name in names}


async def _refuse(call: Call) -> dict[str, Any]:
    raise not_emulated(call.service, call.operation)
