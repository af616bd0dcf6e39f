"""Executes alarm actions when an alarm's state changes.

AlarmEvaluator, SetAlarmState --> Transitions --> Actions (one at a time, in order) --> SNS, executors
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ...core.controller import Context
from ...core.errors import AwsError
from ...time.clock import Clock
from . import notification
from .alarm import Alarm
from .evaluation import State
from .history import AlarmHistory, state_data


@dataclass(frozen=True)
class Breach:
    """The alarm state that an action responds to."""

    alarm: str
    state: State
    comparison: str
    threshold: float
    values: tuple[float, ...]
    """The evaluated datapoints, oldest first; empty when missing data decided."""

    @classmethod
    def of(cls, alarm: Alarm, values: Sequence[float]) -> Breach:
        return cls(alarm.name, alarm.state, alarm.rule.comparison, alarm.rule.threshold, tuple(values))


Executor = Callable[[str, Breach], Awaitable[None]]
"""Executes the alarm action of this ARN. Raises `AwsError` when it cannot."""


@dataclass(frozen=True)
class _Request:
    alarm: Alarm
    arn: str
    breach: Breach
    subject: str
    message: str
    repeated: bool


class Actions:
    """Queues requests without blocking and executes them one after the other."""

    def __init__(self, ctx: Context, history: AlarmHistory) -> None:
        self._ctx = ctx
        self._history = history
        self.executors: dict[str, Executor] = {}
        """By the service in an action's ARN. SNS is built in."""
        self._queue: asyncio.Queue[_Request] = asyncio.Queue()
        self._repeating: set[tuple[str, str]] = set()

    def request(self, alarm: Alarm, breach: Breach, arns: Sequence[str], *, old: State, repeated: bool) -> None:
        """Queue these actions of the alarm. A repetition is dropped while the previous one is still queued."""
        where = self._ctx.region
        for arn in arns:
            key = (alarm.name, arn)
            if repeated and key in self._repeating:
                continue
            if repeated:
                self._repeating.add(key)
            message = ""
            if _service(arn) == "sns":
                message = notification.message(alarm, old, account=self._ctx.account, region=where)
            subject = notification.subject(alarm, where) if message else ""
            self._queue.put_nowait(_Request(alarm, arn, breach, subject, message, repeated))

    async def run(self) -> None:
        """Execute requests until cancelled."""
        while True:
            request = await self._queue.get()
            error: str | None = None
            try:
                await self._execute(request)
            except AwsError as refused:
                error = refused.message
            except Exception as crash:
                self._ctx.log.exception("action %s of alarm %s crashed", request.arn, request.alarm.name)
                error = repr(crash)
            self._repeating.discard((request.alarm.name, request.arn))
            if not request.repeated:
                self._history.executed(request.alarm, request.arn, error)
                if error is not None:
                    self._ctx.log.warning("alarm %s could not execute %s: %s", request.alarm.name, request.arn, error)

    async def _execute(self, request: _Request) -> None:
        service = _service(request.arn)
        if service == "sns":
            await self._ctx.aws.call(
                "sns", "Publish", TopicArn=request.arn, Subject=request.subject, Message=request.message
            )
        elif service in self.executors:
            await self.executors[service](request.arn, request.breach)
        else:
            raise AwsError("NotImplemented", f"Alarm actions of {service} are not emulated.")


class Transitions:
    """Records the state changes of alarms and requests their actions."""

    def __init__(self, clock: Clock, history: AlarmHistory, actions: Actions) -> None:
        self._clock = clock
        self._history = history
        self._actions = actions

    def to(self, alarm: Alarm, state: State, reason: str, reason_data: str | None, values: Sequence[float]) -> None:
        """Set the alarm's state. `values` are the datapoints behind it, oldest first."""
        before, now = state_data(alarm), self._clock.now()
        old = alarm.change(state, reason, reason_data, now)
        if old == state:
            return
        alarm.invoked = now // alarm.interval * alarm.interval
        self._history.changed(alarm, before)
        self._actions.request(alarm, Breach.of(alarm, values), alarm.actions(), old=old, repeated=False)

    def repeat(self, alarm: Alarm, values: Sequence[float], tick: float) -> None:
        """Request the alarm's auto scaling actions again, as CloudWatch does every minute."""
        alarm.invoked = tick
        self._actions.request(alarm, Breach.of(alarm, values), alarm.scaling_actions(), old=alarm.state, repeated=True)


def _service(arn: str) -> str:
    return arn.split(":")[2]
