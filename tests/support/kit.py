"""Test doubles of the kit: a manual clock, a scripted AWS, a ready backend."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from webordinary_testkit.kit.aws.client import Aws
from webordinary_testkit.kit.aws.outputs import Output, Stack, output_key
from webordinary_testkit.kit.backends.capability import ALL, Level
from webordinary_testkit.kit.backends.interface import Cloud
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.core.ids import Ids
from webordinary_testkit.kit.core.threads import BlockingPool
from webordinary_testkit.kit.harness.checks import Checks
from webordinary_testkit.kit.harness.context import Context
from webordinary_testkit.kit.harness.mailbox import Mailbox
from webordinary_testkit.kit.runner.execute import RunContext
from webordinary_testkit.kit.settings import Settings, load

START = 1_800_000_000.0
_TURNS = 10
"""Turns of the event loop in which other tasks go on before time passes."""


class ManualClock(Clock):
    """Time passes only by sleeping. Begins at `START` in both times."""

    def __init__(self, scale: float = 1.0, *, allowance: float = 0.0) -> None:
        super().__init__(scale, START, allowance=allowance)
        self.passed = [0.0]
        """Wall seconds."""

    def monotonic(self) -> float:
        return self.passed[0]

    def wall(self) -> float:
        return START + self.passed[0]

    def now(self) -> float:
        return START + self.passed[0] * self.scale

    async def sleep(self, seconds: float, *, background: bool = False) -> None:
        await self.sleep_wall(seconds / self.scale)

    async def sleep_until(self, when: float, *, background: bool = False) -> None:
        await self.sleep(when - self.now())

    async def sleep_wall(self, seconds: float) -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self.passed[0] += max(0.0, seconds)


Answer = Callable[..., Any]


@dataclass
class ScriptedAws:
    """Answers `call` and `pages` from a table of functions, and notes what was called."""

    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    calls: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return cast(dict[str, Any], self._answer(service, operation, params))

    async def pages(self, service: str, operation: str, key: str, /, **params: Any) -> list[Any]:
        return cast(list[Any], self._answer(service, operation, params))

    def called(self, operation: str) -> list[dict[str, Any]]:
        return [params for _, name, params in self.calls if name == operation]

    def _answer(self, service: str, operation: str, params: dict[str, Any]) -> Any:
        self.calls.append((service, operation, params))
        if (service, operation) not in self.answers:
            raise AssertionError(f"unexpected {service}.{operation}({params})")
        return self.answers[service, operation](**params)


class NoMail:
    async def send(self, message: bytes, sender: str, recipients: list[str]) -> None:
        raise AssertionError("unexpected mail")


class ReadyBackend:
    """A backend whose cloud runs already."""

    name = "still"

    def __init__(self, cloud: Cloud, broken: str | None = None, faults: list[str] | None = None) -> None:
        self._cloud = cloud
        self.broken = broken
        self.own_faults = faults or []

    def capabilities(self) -> Mapping[str, Level]:
        return self._cloud.capabilities

    async def start(self) -> Cloud:
        return self._cloud

    async def health(self) -> str | None:
        return self.broken

    async def internal_errors(self) -> list[str]:
        return self.own_faults

    async def stop(self) -> None:
        return None


def a_stack(**changes: str) -> Stack:
    attributes = [name for name, item in vars(Stack).items() if isinstance(item, Output)]
    values = {name: name.replace("_", "-") for name in attributes}
    known = {
        "load_balancer_url": "http://alb.test",
        "mail_address": "edit@it.test",
        "client_mail_domain": "clients.it.test",
        "replies_queue_url": "http://sqs.test/replies",
        "idle_seconds": "60",
    }
    values |= known | changes
    return Stack(values.pop("name", "name"), {output_key(name): value for name, value in values.items()})


def a_cloud(aws: object = None, clock: Clock | None = None, **changes: Any) -> Cloud:
    values: dict[str, Any] = {
        "aws": cast(Aws, aws if aws is not None else ScriptedAws()),
        "clock": clock or ManualClock(),
        "stack": a_stack(),
        "mail": NoMail(),
        "threads": BlockingPool(2),
        "region": "us-west-2",
        "account": "123456789012",
        "capabilities": dict.fromkeys(ALL, Level.MODELLED),
    }
    return Cloud(**{**values, **changes})


def a_context(aws: object = None, clock: Clock | None = None, **changes: Any) -> Context:
    cloud = a_cloud(aws, clock, **changes)
    history = History(cloud.clock)
    return Context(cloud, some_settings(), history, Checks(history), Ids(7))


def a_run(
    cloud: Cloud, folder: Path | None = None, broken: str | None = None, faults: list[str] | None = None
) -> RunContext:
    history = History(cloud.clock, None if folder is None else folder / "history.jsonl")
    return RunContext(ReadyBackend(cloud, broken, faults), cloud, some_settings(), history, Ids(7), Mailbox(), ())


def some_settings(**overrides: Any) -> Settings:
    return load(overrides, environ={}, file=None)
