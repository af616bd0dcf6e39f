"""Actions happen one at a time, in order, and outlive a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from tests.support.scaling import alarm_parameters, until
from tests.support.world import world
from webordinary_testkit.emulation.core.background_tasks import BackgroundTasks
from webordinary_testkit.emulation.services.cloudwatch.actions import Actions, Breach
from webordinary_testkit.emulation.services.cloudwatch.alarm import Alarm, parse_alarm
from webordinary_testkit.emulation.services.cloudwatch.history import AlarmHistory

POLICY = "arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:1:resource/ecs/service/shop/web:policyName/p"
BREACH = Breach("busy", "ALARM", "GreaterThanThreshold", 1.0, (2.0,))


@dataclass
class Scaler:
    """A policy that takes its time, until `go` is set."""

    done: list[str] = field(default_factory=list)
    begun: int = 0
    crashes: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, arn: str, breach: Breach) -> None:
        self.begun += 1
        await self.go.wait()
        if self.crashes:
            self.crashes -= 1
            raise RuntimeError("crashed")
        self.done.append(arn)


def alarm() -> Alarm:
    return Alarm("arn:alarm", *parse_alarm(alarm_parameters()), configured=0.0)


@asynccontextmanager
async def carried_out(scaler: Scaler) -> AsyncIterator[tuple[Actions, AlarmHistory]]:
    async with world() as built:
        history = AlarmHistory(built.ctx.clock.now)
        actions = Actions(built.ctx, history)
        actions.executors["autoscaling"] = scaler
        tasks = BackgroundTasks(built.ctx.log)
        tasks.run("alarm actions", actions.run())
        yield actions, history
        await tasks.stop()


async def test_a_repetition_is_dropped_while_the_last_one_is_not_done() -> None:
    scaler = Scaler()
    async with carried_out(scaler) as (actions, _):
        for _ in range(3):
            actions.request(alarm(), BREACH, [POLICY], old="ALARM", repeated=True)
        scaler.go.set()
        actions.request(alarm(), BREACH, ["arn:aws:autoscaling:last"], old="OK", repeated=False)
        await until(lambda: _done(scaler, 2), "the last action")
        assert scaler.done == [POLICY, "arn:aws:autoscaling:last"]


async def test_one_action_begins_when_the_one_before_has_ended() -> None:
    scaler = Scaler()
    async with carried_out(scaler) as (actions, _):
        actions.request(alarm(), BREACH, [POLICY, POLICY], old="OK", repeated=False)

        async def begun() -> bool:
            return scaler.begun > 0

        await until(begun, "the first action")
        assert scaler.begun == 1
        scaler.go.set()
        await until(lambda: _done(scaler, 2), "both actions")


async def test_a_crash_is_logged_and_the_next_action_happens(caplog: pytest.LogCaptureFixture) -> None:
    scaler = Scaler(crashes=1)
    scaler.go.set()
    async with carried_out(scaler) as (actions, history):
        actions.request(alarm(), BREACH, [POLICY, POLICY], old="OK", repeated=False)
        await until(lambda: _done(scaler, 1), "the second action")
        first = history.describe({"ScanBy": "TimestampAscending"})["AlarmHistoryItems"][0]
    assert "crashed" in first["HistoryData"]
    assert "action arn:aws:autoscaling" in caplog.text


async def _done(scaler: Scaler, count: int) -> bool:
    return len(scaler.done) >= count
