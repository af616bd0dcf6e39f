"""Deploying: the change set's way, and what is said when it fails."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tests.support.kit import ManualClock, ScriptedAws, a_stack
from webordinary_testkit.kit.aws.client import Aws
from webordinary_testkit.kit.aws.deploy import deploy
from webordinary_testkit.kit.core.errors import InfraError, UsageError


def error(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateChangeSet")


class CloudFormation:
    """A stack that goes through these statuses, one at each look."""

    def __init__(self, *statuses: str, change_set: dict[str, Any] | None = None, exists: bool = False) -> None:
        self.statuses = list(statuses)
        self.exists = exists
        self.updated = 0
        self.aws = ScriptedAws(
            {
                ("cloudformation", "describe_stacks"): self.describe,
                ("cloudformation", "create_change_set"): lambda **_: {"Id": "arn:change"},
                ("cloudformation", "describe_change_set"): lambda **_: change_set or {"Status": "CREATE_COMPLETE"},
                ("cloudformation", "execute_change_set"): self.execute,
                ("cloudformation", "describe_stack_events"): lambda **_: EVENTS,
            }
        )

    def execute(self, **_: Any) -> dict[str, Any]:
        self.exists = True
        self.updated = 1
        return {}

    def describe(self, **_: Any) -> dict[str, Any]:
        if not self.exists:
            raise error("ValidationError", "Stack with id it does not exist")
        status = self.statuses[0] if len(self.statuses) == 1 else self.statuses.pop(0)
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in a_stack().outputs.items()]
        updated = datetime(2026, 1, 1, 0, 0, self.updated, tzinfo=UTC)
        stack = {"StackId": "arn:it", "StackStatus": status, "Outputs": outputs, "LastUpdatedTime": updated}
        return {"Stacks": [stack]}

    async def deploy(self) -> Any:
        return await deploy(cast(Aws, self.aws), ManualClock(), "it", "{}", {"IdleSeconds": "30"}, within=900)


def event(second: int, resource: str, status: str, reason: str = "") -> dict[str, Any]:
    return {
        "Timestamp": datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC),
        "LogicalResourceId": resource,
        "ResourceType": f"AWS::X::{resource}",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


EVENTS = [
    event(9, "Stack", "ROLLBACK_COMPLETE"),
    event(5, "Stack", "ROLLBACK_FAILED", "The following resource(s) failed to create: [Queue, Table]"),
    event(4, "Table", "CREATE_FAILED", "Resource creation cancelled"),
    event(3, "Queue", "CREATE_FAILED", "maxReceiveCount must be at least 1"),
    event(1, "Queue", "CREATE_IN_PROGRESS"),
]


async def test_a_new_stack_is_created_by_a_change_set_with_its_parameters() -> None:
    cloud = CloudFormation("CREATE_IN_PROGRESS", "CREATE_COMPLETE")
    stack = await cloud.deploy()
    assert stack.load_balancer_url == "http://alb.test"
    made = cloud.aws.called("create_change_set")[0]
    assert made["ChangeSetType"] == "CREATE"
    assert made["Parameters"] == [{"ParameterKey": "IdleSeconds", "ParameterValue": "30"}]


async def test_a_stack_that_is_there_is_updated() -> None:
    cloud = CloudFormation("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", exists=True)
    await cloud.deploy()
    assert cloud.aws.called("create_change_set")[0]["ChangeSetType"] == "UPDATE"


async def test_an_update_is_over_when_what_it_replaced_is_gone() -> None:
    cloud = CloudFormation(
        "CREATE_COMPLETE",
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
        exists=True,
    )
    await cloud.deploy()
    assert cloud.statuses == ["UPDATE_COMPLETE"]


async def test_a_status_from_before_the_update_is_not_its_end() -> None:
    cloud = CloudFormation(
        "UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", exists=True
    )
    answers = iter([0, 0, 0, 1])

    def describe(**params: Any) -> dict[str, Any]:
        answer = cloud.describe(**params)
        answer["Stacks"][0]["LastUpdatedTime"] = next(answers)
        return answer

    cloud.aws.answers = {**cloud.aws.answers, ("cloudformation", "describe_stacks"): describe}
    with pytest.raises(InfraError, match="ended as UPDATE_ROLLBACK_COMPLETE"):
        await cloud.deploy()


async def test_without_changes_nothing_is_executed() -> None:
    nothing = {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
    cloud = CloudFormation("CREATE_COMPLETE", change_set=nothing, exists=True)
    await cloud.deploy()
    assert cloud.aws.called("execute_change_set") == []


async def test_a_failure_shows_the_first_cause_and_not_its_consequences() -> None:
    with pytest.raises(InfraError) as failed:
        await CloudFormation("CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE").deploy()
    assert "maxReceiveCount must be at least 1" in str(failed.value)
    assert "Queue (AWS::X::Queue)" in str(failed.value)
    assert "cancelled" not in str(failed.value)


async def test_a_refused_template_is_the_users_to_correct() -> None:
    cloud = CloudFormation("CREATE_COMPLETE")

    def refuse(**_: Any) -> Any:
        raise error("ValidationError", "Unrecognized resource types: [AWS::Nope::Thing]")

    cloud.aws.answers = {**cloud.aws.answers, ("cloudformation", "create_change_set"): refuse}
    with pytest.raises(UsageError, match="AWS::Nope::Thing"):
        await cloud.deploy()


async def test_a_failed_change_set_is_the_users_to_correct() -> None:
    broken = {"Status": "FAILED", "StatusReason": "Template error: unresolved Ref"}
    with pytest.raises(UsageError, match="unresolved Ref"):
        await CloudFormation("CREATE_COMPLETE", change_set=broken).deploy()
