"""The log driver's batches, with CloudWatch Logs written by hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest_asyncio

from tests.support.world import World
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ecs.logs import BATCH_SECONDS, LogStream, LogTarget
from webordinary_testkit.emulation.services.ecs.task_definition import ContainerDefinition

TARGET = LogTarget("/g", "s", create_group=False)


class Recorder:
    """Takes the calls that are made to it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refuses: dict[str, str] = {}

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        self.calls.append((operation, params))
        if operation in self.refuses:
            raise AwsError(self.refuses[operation], "refused")
        return {}

    async def store(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        raise AssertionError("not asked past the controllers")

    @property
    def batches(self) -> list[list[str]]:
        return [[each["message"] for each in params["logEvents"]] for name, params in self.calls if "Put" in name]


@pytest_asyncio.fixture
async def logs() -> Recorder:
    return Recorder()


@pytest_asyncio.fixture
async def stream(bare_world: World, logs: Recorder) -> LogStream:
    return LogStream(replace(bare_world.ctx, aws=logs), TARGET)


async def test_lines_are_put_together_after_a_while(bare_world: World, stream: LogStream, logs: Recorder) -> None:
    await stream.write(b"one\ntwo\nthr")
    assert logs.batches == []
    await stream.write(b"ee\n")
    await bare_world.ctx.clock.sleep(BATCH_SECONDS * 2)
    assert logs.batches == [["one", "two", "three"]]


async def test_the_end_puts_everything_at_once(stream: LogStream, logs: Recorder) -> None:
    await stream.write(b"one\nlast")
    await stream.close()
    assert logs.batches == [["one", "last"]]


async def test_empty_lines_and_carriage_returns_are_dropped(stream: LogStream, logs: Recorder) -> None:
    await stream.write(b"one\r\n\n\r\ntwo\n")
    await stream.close()
    assert logs.batches == [["one", "two"]]


async def test_what_is_no_utf8_is_kept_readable(stream: LogStream, logs: Recorder) -> None:
    await stream.write(b"caf\xe9 \xc3\xa9\n")
    await stream.close()
    assert logs.batches == [["caf� é"]]


async def test_a_very_long_line_becomes_several_events(stream: LogStream, logs: Recorder) -> None:
    await stream.write(b"x" * 600_000 + b"\n")
    await stream.close()
    pieces = [piece for batch in logs.batches for piece in batch]
    assert "".join(pieces) == "x" * 600_000
    assert all(len(piece) + 26 <= 262_144 for piece in pieces)


async def test_no_batch_is_larger_than_allowed(stream: LogStream, logs: Recorder) -> None:
    for _ in range(12):
        await stream.write(b"y\n" * 4_000)
    await stream.close()
    assert sum(map(len, logs.batches)) == 48_000
    assert all(len(batch) <= 10_000 for batch in logs.batches)
    assert all(sum(len(line) + 26 for line in batch) <= 1_048_576 for batch in logs.batches)


async def test_a_batch_that_is_full_does_not_wait(stream: LogStream, logs: Recorder) -> None:
    await stream.write(b"z" * 100_000 + b"\n")
    assert logs.batches == []
    await stream.write((b"z" * 100_000 + b"\n") * 5)
    assert len(logs.batches) == 1


async def test_one_large_write_becomes_several_batches(stream: LogStream, logs: Recorder) -> None:
    await stream.write((b"z" * 250_000 + b"\n") * 9)
    await stream.close()
    assert sum(map(len, logs.batches)) == 9
    assert all(sum(len(line) + 26 for line in batch) <= 1_048_576 for batch in logs.batches)


async def test_times_never_go_back(stream: LogStream, logs: Recorder) -> None:
    for _ in range(3):
        await stream.write(b"a\nb\n")
        await asyncio.sleep(0.002)
    await stream.close()
    times = [each["timestamp"] for _, params in logs.calls for each in params["logEvents"]]
    assert times == sorted(times)


async def test_a_deleted_group_loses_lines_but_not_the_container(stream: LogStream, logs: Recorder) -> None:
    logs.refuses["PutLogEvents"] = "ResourceNotFoundException"
    await stream.write(b"one\n")
    await stream.close()


async def test_a_group_is_made_when_asked_for(bare_world: World, logs: Recorder) -> None:
    logs.refuses["CreateLogGroup"] = "ResourceAlreadyExistsException"
    await LogStream(replace(bare_world.ctx, aws=logs), replace(TARGET, create_group=True)).open()
    assert [name for name, _ in logs.calls] == ["CreateLogGroup", "CreateLogStream"]


def test_a_stream_is_named_by_prefix_container_and_task() -> None:
    options = {"awslogs-group": "/g", "awslogs-stream-prefix": "p", "awslogs-create-group": "true"}
    raw = {"name": "c", "image": "i", "logConfiguration": {"logDriver": "awslogs", "options": options}}
    assert LogTarget.of(ContainerDefinition.parse(raw), "id") == LogTarget("/g", "p/c/id", create_group=True)
    assert LogTarget.of(ContainerDefinition.parse({"name": "c", "image": "i"}), "id") is None
