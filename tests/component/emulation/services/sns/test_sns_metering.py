"""Published messages are counted as AWS/SNS metrics."""

from __future__ import annotations

from tests.support.world import world
from webordinary_testkit.emulation.services.sns import Metering


async def test_published_messages_are_counted() -> None:
    metering = Metering()
    async with world(lambda ctx: metering) as w:
        topic = await w.aws.call("sns", "CreateTopic", Name="inbound")
        entries = [{"Id": str(number), "Message": "hello"} for number in range(2)]
        await w.aws.call("sns", "Publish", TopicArn=topic["TopicArn"], Message="hello")
        await w.aws.call("sns", "PublishBatch", TopicArn=topic["TopicArn"], PublishBatchRequestEntries=entries)
        (datum,) = await metering.collect()

    assert (datum.name, datum.dimensions) == ("NumberOfMessagesPublished", {"TopicName": "inbound"})
    assert sum(datum.values) == 3
    assert list(await metering.collect()) == [], "counters start anew"
