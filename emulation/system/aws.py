"""Calls to AWS: blocking botocore in threads of its own, retries in AWS time, three kinds of failure."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any, Self

from .aws_errors import Unavailable
from .clock import Clock
from .ids import Ids

ATTEMPTS = 7
"""Tries of a throttled call: with the delays below about 10 AWS seconds, well inside a 60 s gateway timeout."""
FIRST_DELAY = 0.25
LONGEST_DELAY = 6.0


class Aws:
    """Makes AWS calls off the event loop. Clients are made on first use: importing botocore takes 0.15 s."""

    def __init__(self, clock: Clock, ids: Ids, *, region: str | None = None, threads: int = 16) -> None:
        self._clock = clock
        self._ids = ids
        self._region = region
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._made: list[Any] = []
        """The clients of all services, once they are made."""
        self._making = threading.Lock()

    async def call(self, service: str, operation: str, /, *, attempts: int = ATTEMPTS, **params: Any) -> dict[str, Any]:
        """One call, for example `call("sqs", "delete_message", QueueUrl=…)`.

        Raises `Unavailable` after `attempts` tries, `ConditionFailed`, or `AwsError`.
        """
        loop = asyncio.get_running_loop()
        delay = FIRST_DELAY
        for left in range(attempts - 1, -1, -1):
            try:
                return await loop.run_in_executor(self._pool, self._once, service, operation, params)
            except Unavailable:
                if not left:
                    raise
            await self._clock.sleep(self._ids.jitter(delay))
            delay = min(LONGEST_DELAY, delay * 2)
        raise AssertionError("attempts must be at least 1")

    def prepare(self, *services: str) -> None:
        """Make these clients in the background, in this order."""
        for service in services:
            self._pool.submit(self._client, service)

    def apart(self, threads: int) -> Self:
        """The same clients with threads of its own: who has it never waits behind everybody else's calls."""
        other = copy(self)
        other._pool = ThreadPoolExecutor(threads, thread_name_prefix="aws apart")
        return other

    def close(self) -> None:
        """Start nothing more; calls under way are left to end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _once(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        from . import sdk  # noqa: PLC0415 - importing botocore takes 0.15 s; here it is in a thread

        return sdk.call(self._client(service), f"{service}:{operation}", operation, params)

    def _client(self, service: str) -> Any:
        from . import sdk  # noqa: PLC0415 - as above

        with self._making:
            if not self._made:
                self._made.append(sdk.Clients(self._region, self._threads))
        return self._made[0].get(service)
