"""Several looks at once, each of them to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def together(looks: Iterable[Awaitable[T]]) -> list[T]:
    """What all of them returned, in their order. Raises what the first of those met that failed, once all have ended:
    nothing is left behind that still asks while a scenario is being judged."""
    __tracebackhide__ = True
    results: list[T] = []
    failed: BaseException | None = None
    for result in await asyncio.gather(*looks, return_exceptions=True):
        if isinstance(result, BaseException):
            failed = failed or result
        else:
            results.append(result)
    if failed is not None:
        raise failed
    return results
