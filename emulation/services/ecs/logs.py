"""The awslogs log driver: sends a container's output to CloudWatch Logs, in order and complete."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.controller import Context
from ...core.errors import AwsError
from .task_definition import ContainerDefinition

BATCH_SECONDS = 5.0
"""AWS seconds between two batches (Docker's awslogs driver)."""
_MOST_EVENTS = 10_000
_MOST_BYTES = 1_048_576
_EVENT_OVERHEAD = 26
"""Limits of a PutLogEvents batch; each event counts 26 bytes more than its text."""
_LONGEST_EVENT = 262_144 - _EVENT_OVERHEAD


@dataclass(frozen=True)
class LogTarget:
    """The log group and stream of a container."""

    group: str
    stream: str
    create_group: bool

    @classmethod
    def of(cls, container: ContainerDefinition, task_id: str) -> LogTarget | None:
        """None for a container without the awslogs driver, whose output is discarded."""
        configuration: Mapping[str, Any] = container.raw.get("logConfiguration") or {}
        if configuration.get("logDriver") != "awslogs":
            return None
        options = configuration.get("options", {})
        prefix = options.get("awslogs-stream-prefix")
        stream = f"{prefix}/{container.name}/{task_id}" if prefix else task_id
        return cls(options["awslogs-group"], stream, options.get("awslogs-create-group") == "true")


class LogStream:
    """Splits bytes into lines and sends them. Failures never affect the container."""

    def __init__(self, ctx: Context, target: LogTarget) -> None:
        self._ctx = ctx
        self._target = target
        self._line = bytearray()
        self._events: deque[tuple[int, dict[str, Any]]] = deque()
        self._bytes = 0
        self._putting = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Create the stream, and the group if `create_group`. Raises `AwsError`."""
        if self._target.create_group:
            await self._create("CreateLogGroup", logGroupName=self._target.group)
        await self._create("CreateLogStream", logGroupName=self._target.group, logStreamName=self._target.stream)

    async def write(self, data: bytes) -> None:
        """Add output; waits while half a batch or more is unsent."""
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest
        for line in lines:
            self._add(line)
        while len(self._line) >= _LONGEST_EVENT:
            self._add(self._line[:_LONGEST_EVENT])
            del self._line[:_LONGEST_EVENT]
        if self._bytes >= _MOST_BYTES // 2:
            await self._put()
        elif self._events and self._later is None:
            self._later = asyncio.create_task(self._put_later())

    async def close(self) -> None:
        """Send everything, an unfinished last line included."""
        self._add(self._line)
        self._line = bytearray()
        if self._later is not None:
            self._later.cancel()
        await self._put()

    def _add(self, line: bytes | bytearray) -> None:
        text = line.removesuffix(b"\r")
        while text:
            piece, text = text[:_LONGEST_EVENT], text[_LONGEST_EVENT:]
            size = len(piece) + _EVENT_OVERHEAD
            event = {"timestamp": self._ctx.clock.now_ms(), "message": piece.decode(errors="replace")}
            self._events.append((size, event))
            self._bytes += size

    async def _put_later(self) -> None:
        await self._ctx.clock.sleep(BATCH_SECONDS)
        self._later = None
        await self._put()

    async def _put(self) -> None:
        async with self._putting:
            while self._events:
                batch = self._batch()
                try:
                    await self._ctx.aws.call(
                        "logs",
                        "PutLogEvents",
                        logGroupName=self._target.group,
                        logStreamName=self._target.stream,
                        logEvents=batch,
                    )
                except Exception as error:  # for example the group was deleted: AWS loses these lines too
                    self._ctx.log.warning("log stream %s: %d lines lost: %s", self._target.stream, len(batch), error)

    def _batch(self) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = []
        taken = 0
        while self._events and len(batch) < _MOST_EVENTS and taken + self._events[0][0] <= _MOST_BYTES:
            size, event = self._events.popleft()
            batch.append(event)
            taken += size
        self._bytes -= taken
        return batch

    async def _create(self, operation: str, **params: str) -> None:
        try:
            await self._ctx.aws.call("logs", operation, **params)
        except AwsError as error:
            if error.code != "ResourceAlreadyExistsException":
                raise
