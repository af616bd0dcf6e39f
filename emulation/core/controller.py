"""The seams of the emulated cloud: what a controller is given, and what it offers.

              SDK / CLI / task                      controllers
                    |                                 |     ^
                    v                                 v     | handlers, watchers
    gateway --> identify --> dispatch --(own operation)-----+
                                |
                                +--(everything else)--> base (moto): the declared state

Declared state lives in the base; a controller reads it through `Context.aws`, makes it real, and
answers those operations itself whose truth is what it observes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..time.clock import Clock
from .ids import Ids

Operation = tuple[str, str]
"""(botocore service name, operation name), for example ("ecs", "CreateService")."""


@dataclass(frozen=True)
class Caller:
    """Who made a call, told from its access key."""

    kind: str
    """"external" (a user, the kit), "task" (an ECS task) or "service" (a part of the cloud itself)."""
    name: str
    """The access key, the task ARN, or the service's name such as "cloudformation"."""


@dataclass(frozen=True)
class Call:
    """One AWS API call on its way to a handler; `params` as botocore models them."""

    service: str
    operation: str
    params: Mapping[str, Any]
    caller: Caller
    region: str
    account: str
    request_id: str
    answer: bytes = b""
    """For watchers: the body of the answer to a call from the wire; empty for a call of the cloud's own parts."""


Handler = Callable[[Call], Awaitable[dict[str, Any]]]
"""Answers one operation itself: botocore-shaped output, or raises `AwsError`."""

Watcher = Callable[[Call], None]
"""Is told of a call after the base (or a handler) answered it with success. Must not block."""


class Aws(Protocol):
    """The AWS API from inside the cloud, as a controller uses it."""

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """Make one call as SDKs would, without a socket: parameters are validated against botocore's
        model, own operations reach their controller, the rest the base; watchers are told.
        Returns botocore-shaped output. Raises `AwsError` with AWS's code."""
        ...

    async def store(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """As `call`, but past every controller, straight to the base. For the handler that owns an
        operation whose declared part the base stores. Watchers are not told (the handler's call is)."""
        ...


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str


class Callers(Protocol):
    """Issues access keys, so that the gateway knows which task made which call."""

    def issue(self, caller: Caller, until: float | None = None) -> Credentials:
        """New keys; from `until` on (AWS epoch seconds), if given, they are refused as expired."""
        ...

    def revoke(self, access_key_id: str) -> None: ...


EventT = TypeVar("EventT")


class Events:
    """News between controllers, in process: subscribe by the event's type, publish an instance.

    Callbacks run at once, in the event loop's thread, in the order of subscription; they must not block.
    """

    def __init__(self) -> None:
        self._subscribers: dict[type, list[Callable[[Any], None]]] = {}

    def subscribe(self, kind: type[EventT], callback: Callable[[EventT], None]) -> None:
        self._subscribers.setdefault(kind, []).append(callback)

    def publish(self, event: object) -> None:
        for callback in self._subscribers.get(type(event), ()):
            callback(event)


@dataclass(frozen=True)
class TargetHealthChanged:
    """The load balancer's view of one target changed (states and reasons as in DescribeTargetHealth)."""

    target_group_arn: str
    target_id: str
    port: int
    state: str
    reason: str | None


@dataclass(frozen=True)
class TaskChanged:
    """An ECS task's `lastStatus` changed."""

    task_arn: str
    cluster_arn: str
    group: str
    last_status: str


@dataclass(frozen=True)
class Datum:
    """One CloudWatch datapoint as AWS itself would publish it for the minute that just ended."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    values: tuple[float, ...]
    """The samples of that minute: SampleCount, Sum, Minimum, Maximum follow from them."""
    unit: str = "None"


class MetricSource(Protocol):
    """Something AWS publishes metrics about."""

    async def collect(self) -> Iterable[Datum]:
        """What happened since the last collect; counters start anew."""
        ...


@dataclass(frozen=True)
class Context:
    """What every controller is handed. Nothing here is global."""

    clock: Clock
    ids: Ids
    aws: Aws
    callers: Callers
    events: Events
    region: str
    account: str
    workdir: Path
    """A folder of this run's own, outside any repository, removed with the cloud."""
    endpoint: Callable[[], str]
    """The gateway's URL; known once it listens."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("emulation"))


class Controller(Protocol):
    """Makes one kind of declared state real. Constructed with a `Context`; owns its asyncio tasks."""

    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations this controller answers itself."""
        ...

    def watchers(self) -> Mapping[Operation, Watcher]:
        """The operations, answered elsewhere, that it wants to hear of."""
        ...

    async def start(self) -> None:
        """Begin; called once, after the gateway listens."""
        ...

    async def stop(self) -> None:
        """End everything it started; called once, also after a failed start. Must not raise."""
        ...
