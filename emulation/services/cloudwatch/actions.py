"""Carries out what alarms ask for when their state changes.

Watch, SetAlarmState --> Transitions --> Actions (one at a time, in order) --> SNS, auto scaling
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from ...core.controller import Context
from ...core.errors import AwsError
from ...time.clock import Clock
from . import notification
from .alarm import Alarm
from .evaluation import State
from .history import AlarmHistory
from .history import state as told_state


@dataclass(frozen=True)
class Breach:
    """What an alarm tells a scaling policy."""

    alarm: str
    state: State
    comparison: str
    threshold: float
    values: tuple[float, ...]
    """The datapoints that decided, oldest first; none when missing data did."""


Scale = Callable[[str, Breach], Awaitable[None]]
"""Executes the scaling policy of this ARN. Raises `AwsError` when it cannot."""


@dataclass(frozen=True)
class _Request:
    alarm: Alarm
    arn: str
    breach: Breach
    subject: str
    message: str
    repeated: bool


class Actions:
    """Takes requests at once and carries them out one after the other, in the order of the requests."""

    def __init__(self, ctx: Context, history: AlarmHistory, scale: Scale) -> None:
        self._ctx = ctx
        self._history = history
        self._scale = scale
        self._queue: asyncio.Queue[_Request] = asyncio.Queue()
        self._repeating: set[tuple[str, str]] = set()
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._work(), name="alarm actions")

    async def stop(self) -> None:
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    def request(self, alarm: Alarm, breach: Breach, arns: Sequence[str], *, old: State, repeated: bool) -> None:
        """Let these actions of the alarm happen. A repetition is dropped while the last one still waits."""
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

    async def _work(self) -> None:
        while True:
            request = await self._queue.get()
            error: str | None = None
            try:
                await self._carry_out(request)
            except AwsError as refused:
                error = refused.message
            except Exception as crash:
                self._ctx.log.exception("action %s of alarm %s crashed", request.arn, request.alarm.name)
                error = repr(crash)
            self._repeating.discard((request.alarm.name, request.arn))
            if not request.repeated:
                self._history.acted(request.alarm, request.arn, error)
                if error is not None:
                    self._ctx.log.log(
                        logging.WARNING, "alarm %s could not execute %s: %s", request.alarm.name, request.arn, error
                    )

    async def _carry_out(self, request: _Request) -> None:
        service = _service(request.arn)
        if service == "autoscaling":
            await self._scale(request.arn, request.breach)
        elif service == "sns":
            await self._ctx.aws.call(
                "sns", "Publish", TopicArn=request.arn, Subject=request.subject, Message=request.message
            )
        else:
            raise AwsError("NotImplemented", f"Alarm actions of {service} are not emulated.", status=501)


class Transitions:
    """What follows when an alarm takes on a state: it is remembered, and its actions are requested."""

    def __init__(self, clock: Clock, history: AlarmHistory, actions: Actions) -> None:
        self._clock = clock
        self._history = history
        self._actions = actions

    def to(self, alarm: Alarm, state: State, reason: str, reason_data: str | None, values: Sequence[float]) -> None:
        """Bring the alarm to a state, for this reason, which `values` gave (oldest first)."""
        before, now = told_state(alarm), self._clock.now()
        old = alarm.change(state, reason, reason_data, now)
        if old == state:
            return
        alarm.invoked = now // alarm.interval * alarm.interval
        self._history.changed(alarm, before)
        self._actions.request(alarm, _breach(alarm, values), alarm.actions(), old=old, repeated=False)

    def repeat(self, alarm: Alarm, values: Sequence[float], tick: float) -> None:
        """Call on the alarm's auto scaling actions again, as CloudWatch does every minute."""
        alarm.invoked = tick
        self._actions.request(alarm, _breach(alarm, values), alarm.scaling_actions(), old=alarm.state, repeated=True)


def _breach(alarm: Alarm, values: Sequence[float]) -> Breach:
    return Breach(alarm.name, alarm.state, alarm.rule.comparison, alarm.rule.threshold, tuple(values))


def _service(arn: str) -> str:
    return arn.split(":")[2]
