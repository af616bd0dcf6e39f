"""Log events and their bytes are counted as AWS/Logs metrics."""

from __future__ import annotations

from tests.support.world import world
from webordinary_testkit.emulation.services.logs import Metering


async def test_log_events_and_bytes_are_counted() -> None:
    metering = Metering()
    async with world(lambda ctx: metering) as w:
        await w.aws.call("logs", "CreateLogGroup", logGroupName="/ecs/x")
        await w.aws.call("logs", "CreateLogStream", logGroupName="/ecs/x", logStreamName="s")
        event = {"timestamp": int(w.ctx.clock.now() * 1000), "message": "ü"}
        await w.aws.call("logs", "PutLogEvents", logGroupName="/ecs/x", logStreamName="s", logEvents=[event])
        data = list(await metering.collect())

    assert {datum.name: datum.values for datum in data} == {"IncomingBytes": (28.0,), "IncomingLogEvents": (1.0,)}
    assert all(datum.dimensions == {"LogGroupName": "/ecs/x"} for datum in data)
    assert list(await metering.collect()) == [], "counters start anew"
