"""The execution environments of every function: reused while they are warm, at most as many as its concurrency."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from ...core.controller import Context
from ...core.errors import AwsError
from .environment import Environment, Outcome
from .function import Function
from .process import Launcher
from .runtime_api import RuntimeApi

CONCURRENCY = 1000
"""Of an account: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
UNUSED_SECONDS = 600.0
"""AWS seconds without an event after which an environment ends. AWS does not say when it does."""


class Fleet:
    def __init__(self, ctx: Context, launcher: Launcher) -> None:
        self._ctx = ctx
        self._launcher = launcher
        self.api = RuntimeApi()
        self._idle: dict[Function, list[Environment]] = defaultdict(list)
        self._busy: dict[Function, int] = defaultdict(int)
        self._expiry: dict[Environment, asyncio.Task[None]] = {}
        self._generation: dict[Function, int] = defaultdict(int)
        """Grows with each change of the code or the settings: older environments end."""

    def admit(self, function: Function) -> None:
        """Raises `AwsError` where another invocation would exceed the function's concurrency."""
        limit = CONCURRENCY if function.reserved is None else function.reserved
        if self._busy[function] >= limit:
            kind = "ConcurrentInvocationLimitExceeded"
            raise AwsError(
                "TooManyRequestsException",
                "Rate Exceeded.",
                status=429,
                Reason=kind if function.reserved is None else f"ReservedFunction{kind}",
            )

    async def run(self, function: Function, request_id: str, payload: bytes) -> Outcome:
        """Run one event. Raises `AwsError` as `admit` does."""
        self.admit(function)
        self._busy[function] += 1
        generation = self._generation[function]
        environment = None
        try:
            environment = await self._take(function)
            outcome = await environment.invoke(request_id, payload)
            if outcome.alive and generation == self._generation[function]:
                self._keep(environment)
                environment = None
            return outcome
        finally:
            self._busy[function] -= 1
            if environment is not None:
                await environment.stop()

    async def retire(self, function: Function) -> None:
        """End the idle environments of a function, now, and the busy ones after their event."""
        self._generation[function] += 1
        for environment in self._idle.pop(function, []):
            self._expiry.pop(environment).cancel()
            await environment.stop()

    async def stop(self) -> None:
        for function in list(self._idle):
            await self.retire(function)

    async def _take(self, function: Function) -> Environment:
        while self._idle[function]:
            environment = self._idle[function].pop()
            self._expiry.pop(environment).cancel()
            if environment.alive:
                return environment
            await environment.stop()
        await self._ctx.latency.resource(f"environment of {function.name}").wait("lambda.cold_start")
        return Environment(self._ctx, self.api, self._launcher, function)

    def _keep(self, environment: Environment) -> None:
        self._idle[environment.function].append(environment)
        self._expiry[environment] = asyncio.create_task(self._expire(environment))

    async def _expire(self, environment: Environment) -> None:
        await self._ctx.clock.sleep(UNUSED_SECONDS, background=True)
        del self._expiry[environment]
        self._idle[environment.function].remove(environment)
        await environment.stop()
