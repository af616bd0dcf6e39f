"""The interfaces of the emulated cloud: `Context`, which a controller gets, and `Controller`, which it implements.

              SDK / CLI / task                      controllers
                    |                                 |     ^
                    v                                 v     | handlers, watchers
    gateway --> identify --> dispatch --(own operation)-----+
                                |
                                +--(everything else)--> state store (moto)

The state store holds declared resources. A controller reads them through `Context.aws`, makes them real, and handles
the operations whose answers depend on what it observes.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ..time.clock import Clock
from ..time.latency import Latency
from .ids import Ids

Operation = tuple[str, str]
"""(botocore service name, operation name), for example ("ecs", "CreateService")."""


@dataclass(frozen=True)
class Caller:
    """Who made a call, by its access key."""

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
    """For watchers: the body of the answer to a call from the wire; empty for a call of a part of the cloud."""


Handler = Callable[[Call], Awaitable[dict[str, Any]]]
"""Handles one operation: returns botocore-shaped output or raises `AwsError`."""

Watcher = Callable[[Call], None]
"""Called after the state store or a handler answered a call with success. Must not block."""


class Aws(Protocol):
    """The AWS API for controllers."""

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """Make one call as SDKs do, without a socket: parameters are validated against botocore's model, a handler or
        the state store answers, and watchers are called. Returns botocore-shaped output. Raises `AwsError` with AWS's
        code."""

    async def store(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """Like `call`, but straight to the state store: for the handler of an operation whose declared part is stored
        there. Watchers are not called: they are for the handler's call."""


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str


class Callers(Protocol):
    """Issues access keys, by which the gateway knows the task that made a call."""

    def issue(self, caller: Caller, until: float | None = None) -> Credentials:
        """New keys, refused as expired from `until` on (AWS epoch seconds), if given."""

    def admit(self, credentials: Credentials, caller: Caller) -> None:
        """Accept keys that were made elsewhere."""
        ...

    def revoke(self, access_key_id: str) -> None: ...


EventT = TypeVar("EventT")


class Events:
    """Events between controllers: subscribe by type, publish an instance.

    Callbacks run at once, in the event loop's thread, in the order of subscription. They must not block.
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
    """The health of one target changed (states and reasons as in DescribeTargetHealth)."""

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
class Changed:
    """Something changed that this service (botocore's name) answers; not for what an API call changed."""

    service: str


@dataclass(frozen=True)
class Datum:
    """One CloudWatch datapoint, as AWS publishes it for the minute that just ended."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    values: tuple[float, ...]
    """The samples of that minute, from which SampleCount, Sum, Minimum and Maximum follow."""
    unit: str = "None"


class MetricSource(Protocol):
    """Produces metrics that AWS publishes."""

    async def collect(self) -> Iterable[Datum]:
        """The datapoints since the last collect; resets the counters."""


@dataclass(frozen=True)
class Context:
    """Dependencies of a controller. Nothing here is global."""

    clock: Clock
    ids: Ids
    aws: Aws
    callers: Callers
    events: Events
    region: str
    account: str
    workdir: Path
    """The run's folder, outside of any repository and removed with the cloud."""
    endpoint: Callable[[], str]
    """The gateway's URL; known once it listens."""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("emulation"))
    latency: Latency = field(default_factory=Latency)
    """AWS's own delays, of the run's latency profile."""


class Controller(Protocol):
    """Makes one kind of declared resource real. Constructed with a `Context`; owns its asyncio tasks."""

    def handlers(self) -> Mapping[Operation, Handler]:
        """The operations that this controller handles."""

    def watchers(self) -> Mapping[Operation, Watcher]:
        """The operations handled elsewhere that it watches."""

    async def start(self) -> None:
        """Called once, after the gateway listens."""

    async def stop(self) -> None:
        """End everything it started. Called once, also after a failed start. Must not raise."""
