"""The kit's thread pool for blocking calls (boto3, smtplib), limited in number; and the task that runs."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")


class BlockingPool:
    """A bounded thread pool. Not bound to an event loop, so one pool serves a whole test session."""

    def __init__(self, workers: int = 16) -> None:
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="kit")

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a blocking function with the caller's context variables."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, lambda: context.run(function, *args, **kwargs)
        )

    def close(self) -> None:
        """Accept no more calls and drop waiting ones; running calls end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def current_task() -> asyncio.Task[Any] | None:
    """The task that runs; None in a thread without an event loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
