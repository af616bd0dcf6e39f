"""Announced changes: what a probe looks at, who waits for it, and waits that look again at once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.support.kit import ManualClock
from webordinary_testkit.kit.core.changes import Changes, looks_at, noted
from webordinary_testkit.kit.core.eventually import LONGEST_PAUSE, eventually


async def test_a_probe_depends_on_all_that_it_and_its_tasks_look_at() -> None:
    async def inner() -> None:
        looks_at("dynamodb")

    with noted() as sources:
        looks_at("ecs")
        await asyncio.create_task(inner())
    looks_at("logs")
    assert sources == {"ecs", "dynamodb"}


def test_only_what_is_announced_is_covered() -> None:
    changes = Changes()
    changes.announce("ecs", "elbv2")
    assert changes.covers({"ecs"})
    assert changes.covers({"ecs", "elbv2"})
    assert not changes.covers({"ecs", "sqs"})
    assert not changes.covers(set())
    changes.silence("ecs")
    assert not changes.covers({"ecs"})


async def test_a_change_before_the_wait_and_one_from_a_thread_end_it() -> None:
    changes = Changes()
    known = changes.number
    changes.notify("ecs")
    await asyncio.wait_for(changes.since(known, {"ecs"}), 5)
    waiting = asyncio.create_task(changes.since(changes.number, {"ecs"}))
    await asyncio.sleep(0)
    changes.notify("logs")
    await asyncio.sleep(0.01)
    assert not waiting.done()
    threading.Thread(target=changes.notify, args=("ecs",)).start()
    await asyncio.wait_for(waiting, 5)


async def test_who_waits_looks_again_when_nobody_announces_any_more() -> None:
    changes = Changes()
    changes.announce("ecs")
    waiting = asyncio.create_task(changes.since(changes.number, {"ecs"}))
    await asyncio.sleep(0)
    changes.silence("ecs")
    await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize(("source", "looks"), [("ecs", 2), ("sqs", 61)])
async def test_a_wait_looks_again_at_a_change_and_polls_what_is_not_announced(source: str, looks: int) -> None:
    """The change comes a minute after the first look; each pause of a poll lasts a second."""
    clock, changes, looked = Clocked(), Changes(), 0
    changes.announce("ecs")

    async def probe() -> bool:
        nonlocal looked
        looked += 1
        looks_at(source)
        if looked == 1:
            clock.at(60, lambda: changes.notify("ecs"))
        return clock.passed[0] >= 60

    await eventually(probe, within=600, every=1, clock=clock, describe="it", changes=changes)
    assert looked == pytest.approx(looks, abs=1 + 60 / LONGEST_PAUSE)


class Clocked(ManualClock):
    """Calls back when its time has come."""

    def __init__(self) -> None:
        super().__init__()
        self._callbacks: list[tuple[float, object]] = []

    def at(self, seconds: float, callback: object) -> None:
        self._callbacks.append((seconds, callback))

    async def sleep_wall(self, seconds: float) -> None:
        until = self.passed[0] + seconds
        for due, callback in self._callbacks:
            if due <= until:
                self.passed[0] = max(self.passed[0], due)
                callback()  # type: ignore[operator]  # it is one
        self._callbacks = [each for each in self._callbacks if each[0] > until]
        await super().sleep_wall(max(0.0, until - self.passed[0]))
