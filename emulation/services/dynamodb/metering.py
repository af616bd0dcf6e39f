"""Counts consumed capacity units for AWS/DynamoDB metrics.

PutItem, Query … --watched--> ConsumedCapacity --each minute--> CloudWatch
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context, Datum, Operation, Watcher
from ...core.errors import AwsError
from ..controller_base import ControllerBase
from .consumed_capacity import OPERATIONS, ConsumedCapacity


class Metering(ControllerBase):
    """A `Controller` and a `MetricSource`."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._consumed = ConsumedCapacity(ctx.aws)
        self._calls: asyncio.Queue[Call] = asyncio.Queue()
        self._tasks = BackgroundTasks(ctx.log)

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {
            **{("dynamodb", operation): self._calls.put_nowait for operation in OPERATIONS},
            ("dynamodb", "DeleteTable"): lambda call: self._consumed.forget(call.params["TableName"]),
        }

    async def start(self) -> None:
        self._tasks.run("DynamoDB metering", self._count_calls())

    async def stop(self) -> None:
        await self._tasks.stop()

    async def collect(self) -> Iterable[Datum]:
        """As `MetricSource`, once every call so far is counted."""
        await self._calls.join()
        return self._consumed.collect()

    async def _count_calls(self) -> None:
        while True:
            call = await self._calls.get()
            try:
                await self._consumed.count(call)
            except AwsError as error:  # the table or item was deleted meanwhile
                self._ctx.log.debug("units of %s are not counted: %s", call.operation, error)
            except Exception:
                self._ctx.log.exception("units of %s are not counted", call.operation)
            finally:
                self._calls.task_done()
