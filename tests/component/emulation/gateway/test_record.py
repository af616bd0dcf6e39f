"""Every call is recorded, cheaply and without gaps."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest
from botocore.exceptions import ClientError

from tests.support.scripted import scripted
from tests.support.world import World, world
from webordinary_testkit.emulation.cloud import Cloud, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.gateway.record import RecordedCall, Recorder


def add(recorder: Recorder, operation: str = "ListQueues") -> None:
    recorder.add(RecordedCall(0, 1.0, "external", "k", "sqs", operation, "us-west-2", 200, None, 0.001, "id"))


def test_calls_are_numbered_from_one() -> None:
    recorder = Recorder()
    for _ in range(3):
        add(recorder)

    assert [call.number for call in recorder.since()] == [1, 2, 3]
    assert [call.number for call in recorder.since(2)] == [3]
    assert recorder.since(3) == []


def test_the_oldest_go_first_and_numbers_stay() -> None:
    recorder = Recorder(kept=2)
    for _ in range(5):
        add(recorder)

    assert [call.number for call in recorder.since()] == [4, 5]
    assert [call.number for call in recorder.since(4)] == [5]


def test_a_file_gets_one_object_a_line_at_once(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    recorder = Recorder(path)
    add(recorder, "A")
    add(recorder, "B")

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    recorder.close()

    assert [(line["number"], line["operation"], line["caller"]) for line in lines] == [(1, "A", "k"), (2, "B", "k")]


async def test_a_call_of_a_user_is_recorded_with_its_outcome(bare_world: World) -> None:
    began = bare_world.ctx.clock.now()
    client = bare_world.client("sqs")
    answer = await asyncio.to_thread(client.create_queue, QueueName="q")
    with pytest.raises(ClientError):
        await asyncio.to_thread(client.get_queue_url, QueueName="none")

    created, missing = bare_world.cloud.recorder.since()
    assert (created.service, created.operation, created.status, created.error) == ("sqs", "CreateQueue", 200, None)
    assert (created.caller_kind, created.caller) == ("external", "AKIAIOSFODNN7EXAMPLE")
    assert created.request_id == answer["ResponseMetadata"]["RequestId"]
    assert began <= created.at <= bare_world.ctx.clock.now()
    assert 0 < created.seconds < 5
    assert (missing.status, missing.error) == (400, "QueueDoesNotExist")


@pytest.mark.parametrize(
    ("service", "method", "params", "code"),
    [
        ("efs", "describe_file_systems", {"FileSystemId": "fs-0123456789abcdef0"}, "FileSystemNotFound"),
        ("s3", "list_objects_v2", {"Bucket": "missing"}, "NoSuchBucket"),
        ("elbv2", "describe_listeners", {"ListenerArns": ["arn"]}, "ListenerNotFound"),
    ],
)
async def test_the_bases_error_codes_are_recorded(
    bare_world: World, service: str, method: str, params: dict[str, object], code: str
) -> None:
    with pytest.raises(ClientError):
        await asyncio.to_thread(getattr(bare_world.client(service), method), **params)

    assert bare_world.cloud.recorder.since()[0].error == code


async def test_calls_inside_the_cloud_are_recorded_under_the_parts_name() -> None:
    async with world(scripted({("ecs", "ListClusters"): AwsError("ServerException", "no", status=500)})) as w:
        with pytest.raises(AwsError):
            await w.cloud.context("scaling").aws.call("ecs", "ListClusters")
        (call,) = w.cloud.recorder.since()

    assert (call.caller_kind, call.caller, call.status, call.error) == ("service", "scaling", 500, "ServerException")


async def test_an_unidentifiable_request_is_recorded_too(bare_world: World) -> None:
    async with aiohttp.ClientSession() as session, session.get(bare_world.url) as response:
        assert response.status == 403

    (call,) = bare_world.cloud.recorder.since()
    assert (call.service, call.error) == ("", "MissingAuthenticationToken")


def test_a_file_that_cannot_be_written_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no such"):
        Cloud(CloudConfig(record=tmp_path / "no such folder" / "calls.jsonl"), lambda _: Wiring(()))
