"""The health check's count of failures, in AWS seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from webordinary_testkit.emulation.services.ecs.container import watch_health
from webordinary_testkit.emulation.services.ecs.task_definition import HealthCheck
from webordinary_testkit.emulation.time.clock import Clock

CLOCK = Clock(scale=1_000)


async def reported(check: HealthCheck, results: Sequence[int | None], expected: int) -> list[str]:
    """The first so many things a check tells whose command gives these exit codes in turn (None hangs), the last one
    over and over."""
    said: list[str] = []
    enough = asyncio.Event()
    left = list(results)

    async def run(argv: Sequence[str]) -> int:
        code = left.pop(0) if len(left) > 1 else left[0]
        if code is None:
            await asyncio.sleep(3600)
        return int(code or 0)

    def tell(health: str) -> None:
        said.append(health)
        if len(said) >= expected:
            enough.set()

    watch = asyncio.create_task(watch_health(CLOCK, check, run, tell))
    await asyncio.wait_for(enough.wait(), 5)
    watch.cancel()
    return said


async def test_a_success_is_told_at_once() -> None:
    assert await reported(HealthCheck(("CMD", "x"), interval=5), [0], 1) == ["HEALTHY"]


async def test_only_so_many_failures_in_a_row_make_it_unhealthy() -> None:
    check = HealthCheck(("CMD", "x"), interval=5, retries=3)
    assert await reported(check, [1, 1, 0, 1, 1, 1], 2) == ["HEALTHY", "UNHEALTHY"]


async def test_a_success_between_failures_begins_the_count_anew() -> None:
    check = HealthCheck(("CMD", "x"), interval=5, retries=3)
    assert await reported(check, [1, 1, 0, 1, 1, 0], 2) == ["HEALTHY", "HEALTHY"]


async def test_a_container_can_recover() -> None:
    check = HealthCheck(("CMD", "x"), interval=5, retries=1)
    assert await reported(check, [1, 0], 2) == ["UNHEALTHY", "HEALTHY"]


async def test_a_command_that_hangs_has_failed() -> None:
    check = HealthCheck(("CMD", "x"), interval=5, timeout=2, retries=1)
    assert await reported(check, [None], 1) == ["UNHEALTHY"]


async def test_failures_in_the_start_period_do_not_count() -> None:
    check = HealthCheck(("CMD", "x"), interval=50, retries=1, start_period=120)
    began = CLOCK.now()
    assert await reported(check, [1], 1) == ["UNHEALTHY"]
    assert CLOCK.now() - began >= 120


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        (("CMD", "curl", "-f", "x"), ("curl", "-f", "x")),
        (("CMD-SHELL", "curl -f x || exit 1"), ("/bin/sh", "-c", "curl -f x || exit 1")),
    ],
)
def test_how_a_check_is_run(command: tuple[str, ...], argv: tuple[str, ...]) -> None:
    assert HealthCheck(command).argv == argv
