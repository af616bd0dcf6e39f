"""Who answers and who watches the operations of one region."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.controller import Controller, Handler, Operation, Watcher
from ..core.errors import AwsError

GLOBAL = frozenset({"iam", "sts", "s3", "s3control", "pricing", "route53", "cloudfront", "organizations"})
"""Services with one set of resources for all regions."""


class Registry:
    """The handlers and watchers of the controllers of one region."""

    def __init__(self) -> None:
        self.handlers: dict[Operation, Handler] = {}
        self.watchers: dict[Operation, list[Watcher]] = {}
        self._owners: dict[Operation, str] = {}

    def register(self, controllers: Iterable[Controller]) -> None:
        """Raises ValueError when two controllers handle one operation."""
        for controller in controllers:
            owner = type(controller).__name__
            for operation, handler in controller.handlers().items():
                if operation in self.handlers:
                    raise ValueError(
                        f"{':'.join(operation)} is answered by both {self._owners[operation]} and {owner}: "
                        "an operation has one owner; let one of them watch it instead."
                    )
                self.handlers[operation] = handler
                self._owners[operation] = owner
            for operation, watcher in controller.watchers().items():
                self.watchers.setdefault(operation, []).append(watcher)


def not_in_region(operation: Operation, region: str, home: str) -> AwsError:
    """The refusal of an operation that only the cloud's own region makes real."""
    return AwsError(
        "NotImplemented",
        f"{':'.join(operation)} is emulated in {home} only, and this call is for {region}. Nothing was changed. Use "
        f"{home}, or start the cloud in {region}.",
    )
