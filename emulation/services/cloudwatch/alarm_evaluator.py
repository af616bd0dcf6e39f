"""Evaluates alarms when their state may change, and sleeps otherwise.

CloudWatch evaluates an alarm every 10 seconds (periods below a minute) or every minute, over periods that end then.
Here an alarm is evaluated on those ticks only while its evaluation range has data, its state was set by hand, or its
auto scaling actions must be repeated: otherwise its state cannot change. Late data is evaluated when it arrives, or,
with a latency profile, at the alarm's own second of the minute.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from ...core.controller import Context
from ...time.latency import ResourceDelays
from .actions import Transitions
from .alarm import Alarm
from .alarms import Alarms
from .evaluation import evaluate
from .expressions import ExpressionError
from .metrics import MINUTE, Metric, MetricStore
from .query import Window
from .reasons import reason, reason_data

REPEAT_EVERY = 60


@dataclass(frozen=True)
class _Phase:
    """The offset of an alarm's evaluations in its interval, which is a draw of the delay `name`."""

    delays: ResourceDelays
    name: str
    interval: int
    seconds: float

    def next(self, earliest: float) -> float:
        """The first evaluation that is not before `earliest`, which is at once without a latency profile."""
        return earliest + (self.seconds - earliest) % self.interval if self.seconds else earliest


class AlarmEvaluator:
    def __init__(self, ctx: Context, store: MetricStore, alarms: Alarms, transitions: Transitions) -> None:
        self._clock = ctx.clock
        self._latency = ctx.latency
        self._phases: dict[str, _Phase] = {}
        self._log = ctx.log
        self._store = store
        self._alarms = alarms
        self._transitions = transitions
        self._due: dict[str, float] = {}
        self._rescheduled = asyncio.Event()
        store.on_arrival(self._arrived)

    async def run(self) -> None:
        """Evaluate alarms when they are due, until cancelled."""
        while True:
            self._rescheduled.clear()
            due = self.due
            with suppress(TimeoutError):
                async with self._clock.timeout_at(due):
                    await self._rescheduled.wait()
            now = self._clock.now()
            for name in [name for name, due in self._due.items() if due <= now]:
                del self._due[name]
                alarm = self._alarms.get(name)
                if alarm is not None:
                    self._evaluate_safely(alarm, now)

    @property
    def due(self) -> float | None:
        """When the next evaluation is due (AWS epoch seconds); None while no state can change."""
        return min(self._due.values(), default=None)

    def schedule(self, alarm: Alarm) -> None:
        """Evaluate the alarm on its next tick, because its configuration or state was changed."""
        self._at(alarm, _tick(self._clock.now(), alarm.interval) + alarm.interval)

    def _arrived(self, metric: Metric, time: int) -> None:
        for alarm in self._alarms.watching(metric):
            now = self._clock.now()
            tick = _tick(now, alarm.interval)
            if time >= tick:
                self._at(alarm, tick + alarm.interval)
            elif time >= tick - alarm.rule.range * alarm.query.period:
                self._at(alarm, now)
                phase = self._phase(alarm)
                if phase.seconds:
                    phase.delays.waits(phase.name, phase.next(now) - now)

    def _at(self, alarm: Alarm, due: float) -> None:
        due = self._phase(alarm).next(due)
        self._due[alarm.name] = min(due, self._due.get(alarm.name, due))
        self._rescheduled.set()

    def _phase(self, alarm: Alarm) -> _Phase:
        if alarm.name not in self._phases:
            delays = self._latency.resource(f"alarm {alarm.name}")
            name = "cloudwatch.alarm.high_resolution" if alarm.interval < MINUTE else "cloudwatch.alarm.evaluation"
            self._phases[alarm.name] = _Phase(delays, name, alarm.interval, delays.draw(name, begins=False))
        return self._phases[alarm.name]

    def _evaluate_safely(self, alarm: Alarm, now: float) -> None:
        try:
            tick = _tick(now, alarm.interval)
            self._evaluate(alarm, tick)
            following = self._next(alarm, tick)
            if following is not None:
                self._at(alarm, following)
        except Exception:
            self._log.exception("alarm %s could not be evaluated", alarm.name)

    def _evaluate(self, alarm: Alarm, tick: int) -> None:
        rule, period = alarm.rule, alarm.query.period
        start = tick - rule.range * period
        try:
            points = alarm.query.datapoints(self._store, start, rule.range, tick)
        except ExpressionError:
            points = [None] * rule.range
        window = Window(start, period, tuple(points))
        verdict = evaluate(window.values, rule)
        values = [point.value for point in reversed(window.at(verdict.considered))]
        if verdict.state is not None and (verdict.state != alarm.state or alarm.set_by_hand):
            why = reason(window, verdict, verdict.state, rule, m_of_n="DatapointsToAlarm" in alarm.configuration)
            data = reason_data(
                window,
                verdict,
                rule,
                now=self._clock.now(),
                statistic=alarm.configuration.get("Statistic"),
                unit=alarm.configuration.get("Unit"),
            )
            alarm.set_by_hand = False
            self._transitions.to(alarm, verdict.state, why, data, values)
        if tick - alarm.invoked >= REPEAT_EVERY and alarm.scaling_actions():
            self._transitions.repeat(alarm, values, tick)

    def _next(self, alarm: Alarm, tick: int) -> float | None:
        """The next evaluation: on the next tick while there is data, else when actions must be repeated."""
        horizon = tick - alarm.rule.range * alarm.query.period
        if any((self._store.latest(metric) or 0) >= horizon for metric in alarm.query.metrics):
            return tick + alarm.interval
        return max(tick + alarm.interval, alarm.invoked + REPEAT_EVERY) if alarm.scaling_actions() else None


def _tick(now: float, interval: int) -> int:
    return int(now // interval * interval)
