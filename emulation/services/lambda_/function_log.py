"""The log of an execution environment: a stream of the function's log group.

The role must allow logs:CreateLogStream and logs:PutLogEvents, and logs:CreateLogGroup where the group is missing; else
the function runs without a log, as on AWS.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any

from ...core.controller import Context
from ...core.errors import AwsError
from ..ecs.logs import LogStream, LogTarget
from ..iam import Role
from .function import LATEST, Function
from .process import most_memory

_TAIL = 4096
"""Bytes that Invoke returns as LogResult."""


class FunctionLog:
    def __init__(self, ctx: Context, function: Function, environment: str) -> None:
        self._ctx = ctx
        self._function = function
        self.stream = f"{ctx.clock.utcnow():%Y/%m/%d}/[{LATEST}]{environment}"
        self._sink: LogStream | None = None
        self._pending = bytearray()
        self._tail = bytearray()
        self._writing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create the stream, and the group where it is missing, as far as the role allows."""
        role, group = Role(self._ctx.aws, self._function.role), self._function.log_group
        arn = f"arn:aws:logs:{self._ctx.region}:{self._ctx.account}:log-group:{group}"
        writable = [await role.allows(f"logs:{each}", f"{arn}:*") for each in ("CreateLogStream", "PutLogEvents")]
        if not all(writable):
            return
        creates = await role.allows("logs:CreateLogGroup", f"{arn}:*") and not await self._exists(group)
        sink = LogStream(self._ctx, LogTarget(group, self.stream, creates))
        try:
            await sink.open()
        except AwsError as error:
            self._ctx.log.info("the function %s runs without a log: %s", self._function.name, error)
        else:
            self._sink = sink

    async def _exists(self, group: str) -> bool:
        answer = await self._ctx.aws.store("logs", "DescribeLogGroups", logGroupNamePrefix=group)
        return any(each["logGroupName"] == group for each in answer.get("logGroups", ()))

    def begin(self, request_id: str) -> None:
        """An invocation begins."""
        self._tail.clear()

    def line(self, text: str) -> None:
        self.write(f"{text}\n".encode())

    def write(self, data: bytes) -> None:
        """Add output of the process."""
        self._tail += data
        del self._tail[:-_TAIL]
        if self._sink is None:
            return
        self._pending += data
        if self._later is None:
            self._later = asyncio.create_task(self._flush())

    async def end(self, request_id: str, seconds: float, init: float, pid: int) -> bytes:
        """Write END and REPORT; returns the last part of this invocation's log."""
        self.line(f"END RequestId: {request_id}")
        memory: list[Any] = [f"Memory Size: {self._function.memory} MB"]
        if used := most_memory(pid):
            memory.append(f"Max Memory Used: {min(math.ceil(used / (1 << 20)), self._function.memory)} MB")
        billed = math.ceil((seconds + init) * 1000)
        report = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {seconds * 1000:.2f} ms",
            f"Billed Duration: {billed} ms",
            *memory,
            *([f"Init Duration: {init * 1000:.2f} ms"] if init else ()),
        ]
        self.line("\t".join(report) + "\t")
        return bytes(self._tail)

    async def close(self) -> None:
        if self._later is not None:
            await self._later
        if self._sink is not None:
            await self._sink.close()

    async def _flush(self) -> None:
        self._later = None
        async with self._writing:
            data, self._pending = bytes(self._pending), bytearray()
            if self._sink is not None and data:
                await self._sink.write(data)
