"""When alarms are evaluated, and when they are left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.scaling import alarm_parameters, until
from tests.support.world import world
from webordinary_testkit.emulation.core.background_tasks import BackgroundTasks
from webordinary_testkit.emulation.services.cloudwatch.actions import Breach, Transitions
from webordinary_testkit.emulation.services.cloudwatch.alarm import Alarm, parse_alarm
from webordinary_testkit.emulation.services.cloudwatch.alarm_evaluator import AlarmEvaluator
from webordinary_testkit.emulation.services.cloudwatch.alarms import Alarms
from webordinary_testkit.emulation.services.cloudwatch.evaluation import State
from webordinary_testkit.emulation.services.cloudwatch.history import AlarmHistory
from webordinary_testkit.emulation.services.cloudwatch.metrics import Metric, MetricStore
from webordinary_testkit.emulation.services.cloudwatch.query import Datapoint
from webordinary_testkit.emulation.services.cloudwatch.samples import Samples
from webordinary_testkit.emulation.time.clock import Clock

SESSIONS = Metric.named("Shop", "Sessions", {})
POLICY = "arn:aws:autoscaling:us-west-2:123456789012:scalingPolicy:1:resource/ecs/service/shop/web:policyName/p"


@dataclass
class Requests:
    """In place of `Actions`: what was asked for."""

    made: list[tuple[State, tuple[float, ...], bool]] = field(default_factory=list)

    def request(self, alarm: Alarm, breach: Breach, arns: Sequence[str], *, old: State, repeated: bool) -> None:
        if arns:
            self.made.append((breach.state, breach.values, repeated))


@dataclass
class Scene:
    clock: Clock
    store: MetricStore
    evaluator: AlarmEvaluator
    alarm: Alarm
    requests: Requests

    def publish(self, value: float, periods_ago: int = 1) -> None:
        period = self.alarm.query.period
        self.store.put(SESSIONS, self.clock.now() // period * period - periods_ago * period, Samples.of([value]))

    async def rest(self) -> None:
        """Wait until no evaluation is due."""

        async def probe() -> bool:
            return self.evaluator.due is None

        await until(probe, "no evaluation due")

    async def state(self, wanted: State) -> None:
        async def probe() -> bool:
            return self.alarm.state == wanted

        await until(probe, f"state {wanted}")


@asynccontextmanager
async def scene(*, scale: float = 1.0, **changes: Any) -> AsyncIterator[Scene]:
    """One alarm, at least 1 in a minute, watched."""
    async with world(scale=scale) as built:
        clock = built.ctx.clock
        store, alarms, requests = MetricStore(clock.now), Alarms(), Requests()
        actions: Any = requests
        evaluator = AlarmEvaluator(built.ctx, store, alarms, Transitions(clock, AlarmHistory(clock.now), actions))
        alarm = Alarm("arn:alarm", *parse_alarm(alarm_parameters(**changes)), configured=clock.now())
        alarms.put(alarm)
        tasks = BackgroundTasks(built.ctx.log)
        tasks.run("alarm evaluation", evaluator.run())
        yield Scene(clock, store, evaluator, alarm, requests)
        await tasks.stop()


async def test_an_alarm_without_data_is_evaluated_once_and_then_left_alone() -> None:
    async with scene(scale=600, TreatMissingData="notBreaching") as it:
        assert it.evaluator.due is None
        it.evaluator.schedule(it.alarm)
        await it.state("OK")
        await it.rest()


async def test_an_alarm_whose_data_has_stopped_is_left_alone_in_insufficient_data() -> None:
    async with scene(scale=600) as it:
        it.publish(1)
        await it.state("ALARM")
        assert it.evaluator.due is not None
        await it.state("INSUFFICIENT_DATA")
        await it.rest()


async def test_data_wakes_an_alarm_that_was_left_alone() -> None:
    async with scene() as it:
        assert it.evaluator.due is None
        it.publish(1)
        assert it.evaluator.due is not None
        await it.state("ALARM")


async def test_what_is_due_at_once_does_not_wait_for_what_is_due_later() -> None:
    async with scene(scale=0.1) as it:
        it.publish(1, periods_ago=-1)
        it.publish(1)
        await it.state("ALARM")


async def test_data_too_old_for_the_evaluation_range_wakes_nobody() -> None:
    async with scene() as it:
        it.publish(1, periods_ago=30)
        assert it.evaluator.due is None


async def test_data_of_a_minute_that_is_not_over_is_due_when_the_present_one_is() -> None:
    async with scene() as it:
        before = it.clock.now() // 60
        it.publish(1, periods_ago=-1)
        assert it.evaluator.due in {(minute + 1) * 60 for minute in (before, it.clock.now() // 60)}


async def test_a_long_period_slides_by_the_minute() -> None:
    async with scene(Period=300) as it:
        it.store.put(SESSIONS, it.clock.now() // 60 * 60 - 60, Samples.of([1]))
        await it.state("ALARM")
        assert it.alarm.reason_data is not None
        assert it.evaluator.due is not None
        assert 0 < it.evaluator.due - it.clock.now() <= 60


async def test_auto_scaling_actions_are_repeated_each_minute_with_the_values_of_that_minute() -> None:
    async with scene(scale=300, AlarmActions=[POLICY], TreatMissingData="breaching") as it:
        it.publish(7)
        await it.state("ALARM")

        async def thrice() -> bool:
            return len(it.requests.made) >= 3 and it.requests.made[-1][1] == ()

        await until(thrice, "repeated requests, at last without data")
        first, *others = it.requests.made
        assert first == ("ALARM", (7.0,), False)
        assert all(state == "ALARM" and repeated for state, _, repeated in others)


async def test_a_high_resolution_alarm_repeats_its_actions_no_more_often() -> None:
    async with scene(scale=300, Period=10, AlarmActions=[POLICY], TreatMissingData="breaching") as it:
        began = it.clock.now()
        it.evaluator.schedule(it.alarm)

        async def thrice() -> bool:
            return len(it.requests.made) == 3

        await until(thrice, "two repetitions")
        assert it.clock.now() - began >= 120


async def test_other_actions_are_not_repeated() -> None:
    async with scene(scale=600, AlarmActions=["arn:aws:sns:us-west-2:1:t"], TreatMissingData="breaching") as it:
        it.evaluator.schedule(it.alarm)
        await it.state("ALARM")
        await it.rest()
        assert it.requests.made == [("ALARM", (), False)]


class BrokenQuery:
    period = 60
    metrics = frozenset((SESSIONS,))

    def datapoints(self, store: MetricStore, start: int, count: int, end: float) -> list[Datapoint | None]:
        raise RuntimeError("no such luck")


async def test_an_alarm_that_cannot_be_evaluated_is_complained_about_and_tried_again_with_new_data(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with scene() as it:
        working, it.alarm.query = it.alarm.query, BrokenQuery()
        it.publish(1)
        await it.rest()
        assert "alarm busy could not be evaluated" in caplog.text
        it.alarm.query = working
        it.publish(1)
        await it.state("ALARM")
