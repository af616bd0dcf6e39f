"""Experiments as boto3 meets them: what they do, how they end, what is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.ecs import eventually
from tests.support.faults import CLUSTER, SERVICE, Place, place
from webordinary_testkit.emulation.services.fis.durations import seconds

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLE = "arn:aws:iam::123456789012:role/fis"
ALARM = "arn:aws:cloudwatch:us-west-2:123456789012:alarm:abort"
TASKS = {
    "resourceType": "aws:ecs:task",
    "parameters": {"cluster": CLUSTER, "service": SERVICE},
    "selectionMode": "COUNT(1)",
}
STOP = {"actionId": "aws:ecs:stop-task", "targets": {"Tasks": "edit"}}
WAIT = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}}
NONE = [{"source": "none"}]


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allowing(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def p() -> AsyncIterator[Place]:
    async with place() as made:
        await made.task()
        call = made.aws.call
        for name, service, actions in (
            ("fis", "fis.amazonaws.com", ("ecs:*", "ec2:*")),
            ("powerless", "fis.amazonaws.com", ("ecs:DescribeTasks",)),
            ("stranger", "ecs-tasks.amazonaws.com", ("ecs:*",)),
        ):
            await call("iam", "create_role", RoleName=name, AssumeRolePolicyDocument=trust(service))
            await call("iam", "put_role_policy", RoleName=name, PolicyName="p", PolicyDocument=allowing(*actions))
        await call(
            "cloudwatch",
            "put_metric_alarm",
            AlarmName="abort",
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
        yield made


async def template(p: Place, **params: Any) -> str:
    wanted = {"description": "test", "roleArn": ROLE, "stopConditions": NONE, "clientToken": p.context.ids.marker()}
    answer = await p.aws.call("fis", "create_experiment_template", **{**wanted, **params})
    return str(answer["experimentTemplate"]["id"])


async def started(p: Place, **params: Any) -> str:
    id = await template(p, **params)
    answer = await p.aws.call(
        "fis", "start_experiment", experimentTemplateId=id, clientToken=p.context.ids.marker(), tags={"run": "r"}
    )
    return str(answer["experiment"]["id"])


async def shown(p: Place, id: str) -> dict[str, Any]:
    return dict((await p.aws.call("fis", "get_experiment", id=id))["experiment"])


async def becomes(p: Place, id: str, *statuses: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        experiment = await shown(p, id)
        return experiment if experiment["state"]["status"] in statuses else None

    found = await eventually(look, within=20)
    assert found
    return dict(found)


async def ended(p: Place, id: str) -> dict[str, Any]:
    return await becomes(p, id, "completed", "stopped", "failed")


async def subnet_of(p: Place, task: str) -> str:
    details = (await p.context.task(task))["attachments"][0]["details"]
    return str(next(each["value"] for each in details if each["name"] == "subnetId"))


async def test_stops_one_task_of_a_service_and_says_which(p: Place) -> None:
    task = await p.task()
    experiment = await ended(p, await started(p, targets={"edit": TASKS}, actions={"stop": STOP}))

    assert experiment["state"]["status"] == "completed"
    assert experiment["targets"]["edit"]["resourceArns"] == [task]
    assert experiment["actions"]["stop"]["state"]["status"] == "completed"

    async def stopped() -> bool:
        described = await p.context.task(task)
        return bool(described["lastStatus"] == "STOPPED" and described["stopCode"] == "UserInitiated")

    assert await eventually(stopped, within=20)
    await p.task()


async def test_cuts_a_subnet_off_from_dynamodb_for_a_minute(p: Place) -> None:
    task = await p.task()
    subnet = f"arn:aws:ec2:us-west-2:123456789012:subnet/{await subnet_of(p, task)}"
    target = {"resourceType": "aws:ec2:subnet", "resourceArns": [subnet], "selectionMode": "ALL"}
    cut = {
        "actionId": "aws:network:disrupt-connectivity",
        "parameters": {"duration": "PT1M", "scope": "dynamodb"},
        "targets": {"Subnets": "app"},
    }
    id = await started(p, targets={"app": target}, actions={"cut": cut})
    await becomes(p, id, "running")
    during = await p.call_as_task(task, 0.4)
    experiment = await ended(p, id)
    lasted = experiment["actions"]["cut"]["endTime"] - experiment["actions"]["cut"]["startTime"]

    assert (during, await p.call_as_task(task)) == ("silent", "ok")
    assert 60 <= lasted.total_seconds() < 90


async def test_a_stop_condition_that_alarms_ends_it_and_undoes_what_it_did(p: Place) -> None:
    task = await p.task()
    subnet = f"arn:aws:ec2:us-west-2:123456789012:subnet/{await subnet_of(p, task)}"
    target = {"resourceType": "aws:ec2:subnet", "resourceArns": [subnet], "selectionMode": "ALL"}
    cut = {
        "actionId": "aws:network:disrupt-connectivity",
        "parameters": {"duration": "PT1H", "scope": "all"},
        "targets": {"Subnets": "app"},
    }
    condition = [{"source": "aws:cloudwatch:alarm", "value": ALARM}]
    id = await started(p, targets={"app": target}, actions={"cut": cut}, stopConditions=condition)
    await becomes(p, id, "running")
    await p.aws.call("cloudwatch", "set_alarm_state", AlarmName="abort", StateValue="ALARM", StateReason="test")
    experiment = await ended(p, id)
    await p.aws.call("cloudwatch", "set_alarm_state", AlarmName="abort", StateValue="OK", StateReason="test")

    assert experiment["state"] == {"status": "stopped", "reason": "Experiment halted by stop condition."}
    assert experiment["actions"]["cut"]["state"]["status"] == "stopped"
    assert await p.call_as_task(task) == "ok"


async def test_stopped_by_hand_what_comes_after_is_cancelled(p: Place) -> None:
    later = {**WAIT, "startAfter": ["first"]}
    id = await started(p, actions={"first": WAIT, "second": later})
    await becomes(p, id, "running")
    await p.aws.call("fis", "stop_experiment", id=id)
    experiment = await ended(p, id)

    assert experiment["state"] == {"status": "stopped", "reason": "Experiment stopped by user."}
    assert {name: each["state"]["status"] for name, each in experiment["actions"].items()} == {
        "first": "stopped",
        "second": "cancelled",
    }
    with pytest.raises(ClientError, match="ValidationException"):
        await p.aws.call("fis", "stop_experiment", id=id)


@pytest.mark.parametrize(
    ("role", "complaint"),
    [
        ("none", "does not exist"),
        ("stranger", "trust policy"),
        ("powerless", "not authorized to perform ecs:ListTasks"),
    ],
)
async def test_a_role_that_cannot_do_it_fails_the_experiment(p: Place, role: str, complaint: str) -> None:
    arn = f"arn:aws:iam::123456789012:role/{role}"
    experiment = await ended(p, await started(p, roleArn=arn, targets={"edit": TASKS}, actions={"stop": STOP}))

    assert experiment["state"]["status"] == "failed"
    assert complaint in experiment["state"]["reason"]
    assert experiment["actions"]["stop"]["state"]["status"] == "cancelled"


async def test_an_empty_target_fails_it_unless_that_is_to_be_skipped(p: Place) -> None:
    empty = {**TASKS, "parameters": {"cluster": CLUSTER, "service": "other"}}
    failed = await ended(p, await started(p, targets={"edit": empty}, actions={"stop": STOP}))
    options = {"experimentOptions": {"emptyTargetResolutionMode": "skip"}}
    skipped = await ended(p, await started(p, targets={"edit": empty}, actions={"stop": STOP}, **options))

    assert failed["state"]["error"]["code"] == "TargetResolutionFailure"
    assert skipped["state"]["status"] == "completed"
    assert skipped["actions"]["stop"]["state"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"actions": {"a": {**WAIT, "parameters": {"duration": "PT30S"}}}}, "between PT1M and PT12H"),
        ({"actions": {"a": {**WAIT, "parameters": {}}}}, "needs the parameter duration"),
        ({"actions": {"a": {"actionId": "aws:ecs:explode"}}}, "is not one of"),
        ({"actions": {"a": STOP}}, "target edit does not exist"),
        ({"actions": {"a": WAIT}, "targets": {"edit": TASKS}}, "No action uses the target edit"),
        ({"actions": {"a": STOP}, "targets": {"edit": {**TASKS, "selectionMode": "SOME"}}}, "selectionMode"),
        ({"actions": {"a": {**WAIT, "startAfter": ["b"]}, "b": {**WAIT, "startAfter": ["a"]}}}, "after one another"),
        ({"actions": {"a": WAIT}, "stopConditions": []}, "stop condition"),
        (
            {"actions": {"a": WAIT}, "stopConditions": [{"source": "aws:cloudwatch:alarm", "value": f"{ALARM}s"}]},
            "exist",
        ),
    ],
)
async def test_a_template_that_cannot_be_is_refused(p: Place, params: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ClientError, match=complaint) as refused:
        await template(p, **params)

    assert refused.value.response["Error"]["Code"] == "ValidationException"


async def test_templates_are_kept_tagged_and_deleted(p: Place) -> None:
    id = await template(p, actions={"a": WAIT}, tags={"kit": "yes"})
    arn = (await p.aws.call("fis", "get_experiment_template", id=id))["experimentTemplate"]["arn"]
    found = await p.aws.call(
        "resourcegroupstaggingapi", "get_resources", TagFilters=[{"Key": "kit", "Values": ["yes"]}]
    )
    await p.aws.call("fis", "delete_experiment_template", id=id)

    assert [each["ResourceARN"] for each in found["ResourceTagMappingList"]] == [arn]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        await p.aws.call("fis", "get_experiment_template", id=id)


@pytest.mark.parametrize(("text", "expected"), [("PT1M", 60), ("PT1H30M", 5400), ("PT90S", 90), ("PT12H", 43200)])
async def test_durations_are_iso_8601(text: str, expected: int) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "PT", "1M", "PT0M", "PT13H", "P1D"])
async def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        seconds(text)
