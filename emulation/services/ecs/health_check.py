"""Runs a container's health check like Docker's HEALTHCHECK, in AWS seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ...time.clock import Clock
from .task_definition import HealthCheck


async def watch_health(
    clock: Clock,
    check: HealthCheck,
    run: Callable[[Sequence[str]], Awaitable[int]],
    report: Callable[[str], None],
) -> None:
    """Run the check after each interval, until cancelled, and report HEALTHY or UNHEALTHY.

    A failure in the start period does not count unless the container was healthy before. A command that exceeds the
    timeout is killed and counts as failed."""
    begun = clock.now()
    failures = 0
    was_healthy = False
    while True:
        await clock.sleep(check.interval)
        started = clock.now()
        try:
            async with asyncio.timeout(clock.wall(clock.patience(check.timeout))):
                passed = await run(check.argv) == 0
        except TimeoutError:
            passed = False
        if passed:
            failures, was_healthy = 0, True
            report("HEALTHY")
        elif was_healthy or started - begun >= check.start_period:
            failures += 1
            if failures >= check.retries:
                report("UNHEALTHY")
