"""The metrics that AWS itself publishes."""

from __future__ import annotations

import logging

import pytest

from tests.support.scaling import ScalingWorld, Source, scaling_world, until
from webordinary_testkit.emulation.core.controller import Datum

DEPTH = Datum("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": "mail"}, (2.0,), "Count")


async def first_depth(cloud: ScalingWorld) -> dict[str, object]:
    async def probe() -> dict[str, object] | None:
        answer = await cloud.call(
            "cloudwatch",
            "GetMetricStatistics",
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": "mail"}],
            StartTime=cloud.now - 7200,
            EndTime=cloud.now + 60,
            Period=60,
            Statistics=["Maximum", "SampleCount"],
        )
        return answer["Datapoints"][0] if answer["Datapoints"] else None

    return await until(probe, "the depth of the queue")


async def test_each_minute_is_published_once_for_the_minute_that_ended() -> None:
    async with scaling_world(source := Source([DEPTH]), scale=600) as cloud:
        started = cloud.now
        point = await first_depth(cloud)
        assert (point["Maximum"], point["SampleCount"], point["Unit"]) == (2.0, 1.0, "Count")
        assert source.collections <= (cloud.now - started) / 60 + 1


async def test_a_broken_source_is_logged_and_silences_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    async with scaling_world(Source(breaks=True), Source([DEPTH]), scale=600) as cloud:
        await first_depth(cloud)
    assert "metrics of Source are missing for a minute" in caplog.text
    assert "this source is broken" in caplog.text


async def test_an_alarm_on_a_metric_of_aws_rings_in_the_minute_after() -> None:
    async with scaling_world(Source([DEPTH]), scale=300) as cloud:
        await cloud.alarm(
            Namespace="AWS/SQS",
            MetricName="ApproximateNumberOfMessagesVisible",
            Dimensions=[{"Name": "QueueName", "Value": "mail"}],
        )
        assert "[2.0 (" in (await cloud.in_state("ALARM"))["StateReason"]
