"""Alarms, from the datapoint to the action."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.scaling import DIMENSIONS, ScalingWorld, scaling_world, until
from webordinary_testkit.emulation.core.errors import AwsError

EXPRESSION = [
    {
        "Id": "sessions",
        "MetricStat": {
            "Metric": {"Namespace": "Shop", "MetricName": "Sessions", "Dimensions": DIMENSIONS},
            "Period": 60,
            "Stat": "Maximum",
        },
        "ReturnData": False,
    },
    {"Id": "double", "Expression": "sessions * 2"},
]


@pytest.fixture
async def cloud() -> AsyncIterator[ScalingWorld]:
    async with scaling_world() as built:
        yield built


async def topic_and_queue(cloud: ScalingWorld) -> tuple[str, str]:
    """The ARN of a topic, and the URL of the queue its messages come to."""
    topic = (await cloud.call("sns", "CreateTopic", Name="alarms"))["TopicArn"]
    url = (await cloud.call("sqs", "CreateQueue", QueueName="alarms"))["QueueUrl"]
    answer = await cloud.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["QueueArn"])
    await cloud.call("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=answer["Attributes"]["QueueArn"])
    return topic, url


async def message(cloud: ScalingWorld, url: str) -> dict[str, Any]:
    """The next envelope in the queue, its Message read."""

    async def probe() -> dict[str, Any] | None:
        received = await cloud.call("sqs", "ReceiveMessage", QueueUrl=url)
        for each in received.get("Messages", ()):
            await cloud.call("sqs", "DeleteMessage", QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
            envelope: dict[str, Any] = json.loads(each["Body"])
            return envelope | {"Message": json.loads(envelope["Message"])}
        return None

    return await until(probe, "a message about the alarm")


async def history(cloud: ScalingWorld, **filters: Any) -> list[str]:
    answer = await cloud.call("cloudwatch", "DescribeAlarmHistory", ScanBy="TimestampAscending", **filters)
    return [item["HistorySummary"] for item in answer["AlarmHistoryItems"]]


async def test_an_alarm_begins_without_data_and_tells_only_what_was_declared(cloud: ScalingWorld) -> None:
    await cloud.alarm(TreatMissingData="missing", AlarmDescription="busy")
    alarm = await cloud.described()
    assert (alarm["StateValue"], alarm["StateReason"]) == ("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation")
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:us-west-2:123456789012:alarm:busy"
    assert (alarm["ActionsEnabled"], alarm["AlarmActions"], alarm["OKActions"]) == (True, [], [])
    assert not {"StateReasonData", "DatapointsToAlarm", "Unit", "Metrics"} & alarm.keys()


async def test_data_for_a_period_that_is_over_is_looked_at_when_it_comes(cloud: ScalingWorld) -> None:
    await cloud.alarm()
    await cloud.publish(3)
    alarm = await cloud.in_state("ALARM")
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 datapoint [3.0 (")
    assert json.loads(alarm["StateReasonData"])["recentDatapoints"] == [3.0]
    assert alarm["StateTransitionedTimestamp"] == alarm["StateUpdatedTimestamp"]


async def test_a_period_that_is_not_over_does_not_count_yet(cloud: ScalingWorld) -> None:
    await cloud.alarm()
    await cloud.publish(0)
    await cloud.in_state("OK")
    later = [{"MetricName": "Sessions", "Value": 9.0, "Timestamp": cloud.now + 600, "Dimensions": DIMENSIONS}]
    await cloud.call("cloudwatch", "PutMetricData", Namespace="Shop", MetricData=later)
    await cloud.publish(0, 0)
    assert (await cloud.described())["StateValue"] == "OK"


async def test_data_with_other_dimensions_does_not_move_the_alarm(cloud: ScalingWorld) -> None:
    await cloud.alarm()
    await cloud.publish(3, Dimensions=[])
    await cloud.publish(3, Dimensions=[*DIMENSIONS, {"Name": "Other", "Value": "x"}])
    await cloud.publish(0)
    await cloud.in_state("OK")
    assert await history(cloud, HistoryItemType="StateUpdate") == ["Alarm updated from INSUFFICIENT_DATA to OK"]


async def test_m_of_n_periods_have_to_breach(cloud: ScalingWorld) -> None:
    await cloud.alarm(EvaluationPeriods=3, DatapointsToAlarm=2)
    await cloud.publish(0, 5, 0)
    assert "1 datapoint for ALARM -> OK" not in (await cloud.in_state("OK"))["StateReason"]
    await cloud.publish(5)
    assert "2 out of the last 3 datapoints" in (await cloud.in_state("ALARM"))["StateReason"]


async def test_the_time_that_passes_takes_an_alarm_back_when_data_stops() -> None:
    async with scaling_world(scale=300) as cloud:
        await cloud.alarm()
        await cloud.publish(3)
        await cloud.in_state("ALARM")
        alarm = await cloud.in_state("OK")
        assert alarm["StateReason"].startswith("Threshold Crossed: no datapoints were received for 1 period")


async def test_a_high_resolution_alarm_sees_seconds() -> None:
    async with scaling_world(scale=60) as cloud:
        await cloud.alarm(Period=10, TreatMissingData="missing")
        await cloud.publish(3, period=10, StorageResolution=1)
        await cloud.in_state("ALARM")
        assert (await cloud.in_state("INSUFFICIENT_DATA"))["StateReason"] == (
            "Insufficient Data: 1 datapoint was unknown."
        )


async def test_silence_that_breaches_raises_a_new_alarm_by_itself() -> None:
    async with scaling_world(scale=300) as cloud:
        await cloud.alarm(
            Period=10, EvaluationPeriods=6, ComparisonOperator="LessThanThreshold", TreatMissingData="breaching"
        )
        assert "6 missing datapoints were treated as [Breaching]" in (await cloud.in_state("ALARM"))["StateReason"]


async def test_an_alarm_can_watch_an_expression(cloud: ScalingWorld) -> None:
    await cloud.call(
        "cloudwatch",
        "PutMetricAlarm",
        AlarmName="busy",
        Metrics=EXPRESSION,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
    )
    await cloud.publish(6)
    alarm = await cloud.in_state("ALARM")
    assert "[12.0 (" in alarm["StateReason"]
    assert alarm["Metrics"] == EXPRESSION
    simple = await cloud.call(
        "cloudwatch", "DescribeAlarmsForMetric", Namespace="Shop", MetricName="Sessions", Dimensions=DIMENSIONS
    )
    assert simple["MetricAlarms"] == []


async def test_a_topic_is_told_in_cloudwatch_s_own_words(cloud: ScalingWorld) -> None:
    topic, queue = await topic_and_queue(cloud)
    await cloud.alarm(AlarmActions=[topic], AlarmDescription="many sessions")
    await cloud.publish(3)
    envelope = await message(cloud, queue)
    alarm = await cloud.described()
    assert envelope["Subject"] == 'ALARM: "busy" in US West (Oregon)'
    content = envelope["Message"]
    assert content.pop("AlarmConfigurationUpdatedTimestamp").endswith("+0000")
    assert content.pop("StateChangeTime").endswith("+0000")
    assert content == {
        "AlarmName": "busy",
        "AlarmDescription": "many sessions",
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "NewStateReason": alarm["StateReason"],
        "Region": "US West (Oregon)",
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": "INSUFFICIENT_DATA",
        "OKActions": [],
        "AlarmActions": [topic],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Sessions",
            "Namespace": "Shop",
            "StatisticType": "Statistic",
            "Statistic": "MAXIMUM",
            "Unit": None,
            "Dimensions": [{"value": "test", "name": "Environment"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
            "TreatMissingData": "notBreaching",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


async def test_disabled_actions_are_not_carried_out(cloud: ScalingWorld) -> None:
    topic, _ = await topic_and_queue(cloud)
    await cloud.alarm(AlarmActions=[topic], OKActions=[topic], Statistic="Sum")
    await cloud.call("cloudwatch", "DisableAlarmActions", AlarmNames=["busy"])
    await cloud.publish(3)
    await cloud.in_state("ALARM")
    await cloud.call("cloudwatch", "EnableAlarmActions", AlarmNames=["busy"])
    await cloud.publish(-3)
    await cloud.in_state("OK")

    async def executed() -> list[str]:
        return await history(cloud, HistoryItemType="Action")

    assert await until(executed, "the OK action") == [f"Successfully executed action {topic}"]


async def test_an_action_that_fails_is_told_in_the_history(cloud: ScalingWorld) -> None:
    nowhere = "arn:aws:sns:us-west-2:123456789012:nowhere"
    strange = "arn:aws:ssm:us-west-2:123456789012:opsitem:1"
    await cloud.alarm(AlarmActions=[nowhere, strange])
    await cloud.publish(3)

    async def both() -> list[str] | None:
        items = await history(cloud, HistoryItemType="Action")
        return items if len(items) == 2 else None

    failed, refused = await until(both, "two failed actions")
    assert failed.startswith(f"Failed to execute action {nowhere}. Received error:")
    assert refused == (f'Failed to execute action {strange}. Received error: "Alarm actions of ssm are not emulated."')


async def test_a_state_set_by_hand_acts_and_is_overwritten_by_the_next_evaluation(cloud: ScalingWorld) -> None:
    topic, queue = await topic_and_queue(cloud)
    await cloud.alarm(AlarmActions=[topic])
    await cloud.call("cloudwatch", "SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="just trying")
    assert (await message(cloud, queue))["Message"]["NewStateReason"] == "just trying"
    await cloud.publish(0)
    assert "was not greater than" in (await cloud.in_state("OK"))["StateReason"]


async def test_a_reason_set_by_hand_is_overwritten_even_when_the_state_is_right(cloud: ScalingWorld) -> None:
    await cloud.alarm()
    await cloud.publish(3)
    transitioned = (await cloud.in_state("ALARM"))["StateTransitionedTimestamp"]
    await cloud.call("cloudwatch", "SetAlarmState", AlarmName="busy", StateValue="ALARM", StateReason="by hand")
    assert (await cloud.described())["StateReason"] == "by hand"
    await cloud.publish(4)

    async def evaluated() -> dict[str, Any] | None:
        now = await cloud.described()
        return now if "[4.0" in now["StateReason"] else None

    alarm = await until(evaluated, "CloudWatch's own reason")
    assert alarm["StateTransitionedTimestamp"] == transitioned
    await cloud.alarm("evaluated with it", Threshold=5)
    await cloud.publish(5)
    await cloud.in_state("ALARM", "evaluated with it")
    assert (await cloud.described())["StateReason"] == alarm["StateReason"]


async def test_setting_the_state_an_alarm_is_in_does_nothing_but_change_the_reason(cloud: ScalingWorld) -> None:
    topic, _ = await topic_and_queue(cloud)
    await cloud.alarm(InsufficientDataActions=[topic])
    await cloud.call(
        "cloudwatch", "SetAlarmState", AlarmName="busy", StateValue="INSUFFICIENT_DATA", StateReason="really"
    )
    assert (await cloud.described())["StateReason"] == "really"
    assert await history(cloud) == ['Alarm "busy" created']


async def test_updating_an_alarm_keeps_its_state(cloud: ScalingWorld) -> None:
    await cloud.alarm()
    await cloud.publish(3)
    before = await cloud.in_state("ALARM")
    await cloud.alarm(Threshold=2, AlarmDescription="changed")
    after = await cloud.described()
    assert (after["StateValue"], after["StateReason"]) == ("ALARM", before["StateReason"])
    assert (after["Threshold"], after["AlarmDescription"]) == (2, "changed")


async def test_history_tells_of_creation_change_of_state_and_deletion(cloud: ScalingWorld) -> None:
    await cloud.alarm()
    await cloud.publish(3)
    await cloud.in_state("ALARM")
    await cloud.alarm(Threshold=2)
    await cloud.call("cloudwatch", "DeleteAlarms", AlarmNames=["busy", "never-there"])
    assert await history(cloud, AlarmName="busy") == [
        'Alarm "busy" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "busy" updated',
        'Alarm "busy" deleted',
    ]
    newest = await cloud.call("cloudwatch", "DescribeAlarmHistory", MaxRecords=1)
    assert newest["AlarmHistoryItems"][0]["HistorySummary"] == 'Alarm "busy" deleted'
    assert (await cloud.call("cloudwatch", "DescribeAlarms"))["MetricAlarms"] == []


async def test_alarms_are_found_by_what_is_asked(cloud: ScalingWorld) -> None:
    await cloud.alarm("busy")
    await cloud.alarm("busier", Threshold=9)
    await cloud.alarm("other", MetricName="Other")
    await cloud.publish(3)
    await cloud.in_state("ALARM")

    async def names(**filters: Any) -> list[str]:
        answer = await cloud.call("cloudwatch", "DescribeAlarms", **filters)
        return [alarm["AlarmName"] for alarm in answer["MetricAlarms"]]

    assert await names() == ["busier", "busy", "other"]
    assert await names(AlarmNamePrefix="bus") == ["busier", "busy"]
    assert await names(StateValue="ALARM") == ["busy"]
    assert await names(AlarmTypes=["CompositeAlarm"]) == []
    first = await cloud.call("cloudwatch", "DescribeAlarms", MaxRecords=2)
    assert await names(NextToken=first["NextToken"]) == ["other"]
    answer = await cloud.call(
        "cloudwatch", "DescribeAlarmsForMetric", Namespace="Shop", MetricName="Sessions", Dimensions=DIMENSIONS
    )
    assert [alarm["AlarmName"] for alarm in answer["MetricAlarms"]] == ["busier", "busy"]
    loose = await cloud.call("cloudwatch", "DescribeAlarmsForMetric", Namespace="Shop", MetricName="Sessions")
    assert loose["MetricAlarms"] == []


async def test_tags_are_kept_beside_the_alarm(cloud: ScalingWorld) -> None:
    await cloud.alarm(Tags=[{"Key": "stack", "Value": "it"}])
    arn = (await cloud.described())["AlarmArn"]
    await cloud.call("cloudwatch", "TagResource", ResourceARN=arn, Tags=[{"Key": "run", "Value": "1"}])
    await cloud.call("cloudwatch", "UntagResource", ResourceARN=arn, TagKeys=["stack"])
    assert (await cloud.call("cloudwatch", "ListTagsForResource", ResourceARN=arn))["Tags"] == [
        {"Key": "run", "Value": "1"}
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Period": 45}, "The parameter Period must be a value in the set"),
        ({"Period": 5}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 60, "EvaluationPeriods": 1441}, "Metrics cannot be checked across more than a day"),
        ({"Period": 86400, "EvaluationPeriods": 8}, "Metrics cannot be checked across more than a week"),
        ({"DatapointsToAlarm": 2}, "The parameter DatapointsToAlarm must be less than or equal to"),
        ({"ExtendedStatistic": "p90"}, "Exactly one of the parameters Statistic and ExtendedStatistic"),
        ({"TreatMissingData": "bad"}, "Option bad is not supported."),
        ({"AlarmActions": ["nobody"]}, "Invalid arn syntax: nobody"),
        ({"ComparisonOperator": "Equals"}, "1 validation error detected: Value 'Equals' at 'comparisonOperator'"),
    ],
)
async def test_an_alarm_that_aws_refuses_is_refused(cloud: ScalingWorld, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AwsError) as refused:
        await cloud.alarm(**changes)
    assert refused.value.code == "ValidationError"
    assert refused.value.message.startswith(message)


async def test_setting_the_state_of_no_alarm_is_an_error(cloud: ScalingWorld) -> None:
    with pytest.raises(AwsError) as refused:
        await cloud.call("cloudwatch", "SetAlarmState", AlarmName="no", StateValue="OK", StateReason="x")
    assert (refused.value.code, refused.value.status) == ("ResourceNotFound", 404)
