"""Base classes of controllers that need only a part of the `Controller` protocol."""

from __future__ import annotations

from collections.abc import Mapping

from ..core.controller import Handler, Operation, Watcher
from ..state.operations import all_handlers


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
    """Answers every operation of `service` (botocore's name): by the method named as in boto3, or as not emulated."""

    service: str

    def handlers(self) -> Mapping[Operation, Handler]:
        return all_handlers(self.service, self)
