"""The least-privilege policy: what is checked in follows from the calls, and IAM would take it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import some_settings
from tests.support.policy_check import allows, arns, refused
from webordinary_testkit.kit.backends.emulated.rehearsal import OWNER
from webordinary_testkit.kit.backends.live.iam.actions import actions_of
from webordinary_testkit.kit.backends.live.iam.calls import (
    CLOUDFORMATION,
    RUN,
    Calls,
    caller_of,
    checked_in_calls,
    differences,
    read_records,
)
from webordinary_testkit.kit.backends.live.iam.document import (
    LIMIT,
    actions_by_caller,
    build_policies,
    checked_in_policies,
    documents,
    policy,
    size,
    statements,
    trust_policy,
)
from webordinary_testkit.kit.backends.live.iam.values import values_of
from webordinary_testkit.kit.core.errors import KitError

ACCOUNT, REGION = "210987654321", "us-west-2"
TASKS = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task"


def settings(**more: Any) -> Any:
    return some_settings(mode="live", account=ACCOUNT, live={"mail_domain": "it.example.com"}, **more)


def known_to_iam() -> dict[str, dict[str, Any]]:
    """IAM's services and their actions, as cfn-lint ships them."""
    text = (files("cfnlint.data.AdditionalSpecs") / "Policies.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def every_action() -> set[str]:
    return set().union(*actions_by_caller(checked_in_calls()).values())


def test_the_policy_that_is_checked_in_follows_from_the_calls_that_are() -> None:
    assert build_policies(checked_in_calls()) == checked_in_policies(), "refresh it: kit iam --refresh RECORD"


def test_iam_knows_every_action() -> None:
    known = known_to_iam()
    unknown = {
        action
        for action in every_action()
        if action.partition(":")[2].lower() not in known[action.partition(":")[0]]["Actions"]
    }
    assert unknown == set()


def test_what_could_be_narrowed_is_narrowed() -> None:
    known, wide = known_to_iam(), set()
    for statement in policy(settings())["Statement"]:
        if statement["Resource"] == "*" and "Condition" not in statement:
            for action in statement["Action"]:
                service, _, name = action.partition(":")
                if known[service]["Actions"][name.lower()].get("Resources") and not name.startswith(
                    ("Describe", "Get")
                ):
                    wide.add(action)
    assert wide == {"ecs:ListTasks"}, "IAM knows resources for these"  # it: container instances, which Fargate has not


def test_what_cannot_be_narrowed_is_not() -> None:
    """An ARN that IAM never looks at allows nothing."""
    known, never = known_to_iam(), set()
    for statement in policy(settings())["Statement"]:
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            if statement["Resource"] != "*" and not known[service]["Actions"][name.lower()].get("Resources"):
                never.add(action)
    assert never == {"ssmmessages:OpenDataChannel"}, (
        "IAM knows no resource for these"
    )  # it: AWS's own policies name one


def test_a_condition_of_a_service_is_on_actions_that_have_its_key() -> None:
    """From the service authorization reference of 2026-09; on an action without the key it would never hold."""
    having = {
        "application-autoscaling:service-namespace": {
            f"application-autoscaling:{each}"
            for each in (
                "DeleteScalingPolicy",
                "DeregisterScalableTarget",
                "PutScalingPolicy",
                "RegisterScalableTarget",
            )
        },
        "cloudwatch:namespace": {"cloudwatch:PutMetricData"},
        "ec2:CreateAction": {"ec2:CreateTags"},
        "elasticfilesystem:CreateAction": {"elasticfilesystem:TagResource"},
        "iam:AWSServiceName": {"iam:CreateServiceLinkedRole"},
        "iam:PassedToService": {"iam:PassRole"},
        "iam:PolicyARN": {"iam:AttachRolePolicy", "iam:DetachRolePolicy"},
        "ses:FromAddress": {"ses:SendRawEmail"},
    }
    used: dict[str, set[str]] = {}
    for statement in policy(settings())["Statement"]:
        for key in {key for keys in statement.get("Condition", {}).values() for key in keys}:
            if not key.startswith("aws:"):
                used.setdefault(key, set()).update(statement["Action"])
    assert used == having


def test_a_data_channel_of_ecs_exec_may_be_opened_and_no_other() -> None:
    allowed = policy(settings())
    for session, may in (("ecs-execute-command-0123456789abcdefg", True), ("admin-0123456789abcdefg", False)):
        call = a_call("ssmmessages", "OpenDataChannel", session_id=session)
        assert (list(refused(allowed, call, REGION, ACCOUNT)) == []) is may


@pytest.mark.parametrize(
    ("service", "operation", "touches", "may"),
    [
        ("cloudformation", "ListStacks", {}, True),
        ("cloudformation", "DescribeStacks", {}, False),
        ("cloudformation", "DescribeStacks", {"StackName": "webordinary-integration-test"}, True),
        ("ecs", "ListTasks", {"cluster": "somebody-elses-cluster"}, True),
        ("ecs", "DescribeTasks", {"cluster": "somebody-elses-cluster", "tasks": [f"{TASKS}/somebody-elses/1"]}, False),
        ("sns", "DeleteTopic", {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:somebody-elses-topic"}, False),
        ("ec2", "CreateVpc", {}, True),
    ],
)
def test_a_call_that_names_nothing_needs_everything(
    service: str, operation: str, touches: dict[str, Any], may: bool
) -> None:
    call = a_call(service, operation, **touches)
    assert (list(refused(policy(settings()), call, REGION, ACCOUNT)) == []) is may


def test_only_looks_reach_everything_without_a_condition() -> None:
    everything = {
        action
        for statement in policy(settings())["Statement"]
        if statement["Resource"] == "*" and "Condition" not in statement
        for action in statement["Action"]
    }
    changing = {each for each in everything if not each.partition(":")[2].startswith(("Describe", "Get", "List"))}
    assert changing == {
        "ecs:DeregisterTaskDefinition",
        "elasticfilesystem:CreateFileSystem",
        "ses:CreateReceiptRule",
        "ses:DeleteReceiptRule",
    }, "IAM knows no resource for these"


def test_no_action_is_a_pattern() -> None:
    assert [action for action in every_action() if "*" in action] == []


def test_each_managed_policy_is_as_small_as_iam_wants_it() -> None:
    assert {name: size(each) for name, each in documents(settings()).items() if size(each) > LIMIT} == {}
    long = {"stack": {"name": "s" * 36, "parameters": {"ResourcePrefix": "p" * 21}}}
    assert all(size(each) <= LIMIT for each in documents(settings(**long)).values())


def test_splitting_loses_nothing() -> None:
    whole = {(action, str(each["Resource"])) for each in policy(settings())["Statement"] for action in each["Action"]}
    parts = {
        (action, str(each["Resource"]))
        for document in documents(settings()).values()
        for each in document["Statement"]
        for action in each["Action"]
    }
    assert parts == whole


def test_every_placeholder_is_filled_in() -> None:
    assert "${" not in json.dumps(policy(settings())) + json.dumps(documents(settings()))


@pytest.mark.parametrize(
    ("region", "partition"), [("us-west-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_the_partition_is_the_regions(region: str, partition: str) -> None:
    assert values_of(settings(region=region))["Partition"] == partition


def test_the_repositories_are_those_of_the_images() -> None:
    images = {
        "HermesImage": f"{ACCOUNT}.dkr.ecr.us-west-2.amazonaws.com/shop/hermes:1.4",
        "EditImage": "edit@sha256:00",
    }
    told = values_of(settings(stack={"parameters": images}))
    assert (told["Hermes"], told["Edit"]) == ("shop/hermes", "edit")


FOREIGN = (
    ("sqs:SendMessage", "sqs:us-west-2:210987654321:somebody-elses-orders"),
    ("sqs:DeleteQueue", "sqs:us-west-2:210987654321:webordinary-orders"),
    ("ecs:UpdateService", "ecs:us-west-2:210987654321:service/webordinary-edit-cluster/webordinary-edit-service"),
    ("ecs:ExecuteCommand", "ecs:us-west-2:210987654321:cluster/webordinary-edit-cluster"),
    ("dynamodb:PutItem", "dynamodb:us-west-2:210987654321:table/webordinary-edit-sessions"),
    ("dynamodb:DeleteTable", "dynamodb:us-east-1:210987654321:table/webordinary-it-edit-sessions"),
    ("cloudformation:DeleteStack", "cloudformation:us-west-2:210987654321:stack/somebody-elses-stack/1"),
    ("cloudformation:DeleteStack", "cloudformation:us-west-2:111111111111:stack/webordinary-integration-test/1"),
    ("iam:PassRole", "iam::210987654321:role/Admin"),
    ("iam:PutRolePolicy", "iam::210987654321:role/Admin"),
    ("logs:DeleteLogGroup", "logs:us-west-2:210987654321:log-group:/ecs/webordinary/hermes"),
    ("ses:SendRawEmail", "ses:us-west-2:210987654321:identity/example.com"),
)


@pytest.mark.parametrize(("action", "arn"), FOREIGN)
def test_what_is_somebody_elses_is_out_of_reach(action: str, arn: str) -> None:
    assert action in every_action()
    assert not allows(policy(settings()), action, f"arn:aws:{arn}")


def test_ids_that_aws_makes_up_are_told_by_the_kits_tag() -> None:
    for statement in policy(settings())["Statement"]:
        for action in statement["Action"]:
            if action.startswith(("ec2:Delete", "ec2:Modify", "ec2:Revoke", "elasticfilesystem:Delete")):
                if action == "ec2:DeleteNetworkInterface" and "network-interface" in str(statement["Resource"]):
                    continue  # of a mount target: EFS makes and tags it
                assert "aws:ResourceTag/webordinary-test-kit" in str(statement["Condition"]), action


def test_roles_are_passed_to_the_stacks_services_only_and_get_no_policy_of_aws_but_one() -> None:
    by = {
        action: each["Condition"]
        for each in policy(settings())["Statement"]
        for action in each["Action"]
        if "Condition" in each
    }
    passed_to = ["ecs-tasks.amazonaws.com", "fis.amazonaws.com", "lambda.amazonaws.com"]
    assert by["iam:PassRole"]["StringEquals"]["iam:PassedToService"] == passed_to
    assert by["iam:AttachRolePolicy"]["ArnEquals"]["iam:PolicyARN"].endswith("/AmazonECSTaskExecutionRolePolicy")


def test_operations_that_iam_calls_otherwise() -> None:
    assert actions_of("elbv2.CreateRule") == ("elasticloadbalancing:CreateRule",)
    assert actions_of("resourcegroupstaggingapi.GetResources") == ("tag:GetResources",)
    assert actions_of("s3.ListObjectsV2") == ("s3:ListBucket",)
    assert actions_of("sts.GetCallerIdentity") == ()


def test_an_action_that_nobody_has_thought_of_is_an_error() -> None:
    with pytest.raises(KitError, match="no rule limits the resources of glue:StartJobRun"):
        statements(["glue:StartJobRun"])


# ---- Reading records
def a_call(
    service: str, operation: str, kind: str = "external", caller: str = "test", **touches: Any
) -> dict[str, Any]:
    return {"service": service, "operation": operation, "caller_kind": kind, "caller": caller, "touches": touches}


def test_only_the_runs_calls_and_cloudformations_count(tmp_path: Path) -> None:
    record = tmp_path / "calls.jsonl"
    calls = [
        a_call("sqs", "SendMessage"),
        a_call("sqs", "CreateQueue", "service", "cloudformation"),
        a_call("ses", "VerifyDomainIdentity", caller=OWNER),
        a_call("ecs", "UpdateService", "service", "scaling"),
        a_call("dynamodb", "PutItem", "task", "arn:aws:ecs:us-west-2:210987654321:task/x/1"),
    ]
    record.write_text("".join(json.dumps(each) + "\n" for each in calls) + '{"cut off', encoding="utf-8")
    found = read_records([tmp_path])
    assert found.by == {RUN: {"sqs.SendMessage"}, CLOUDFORMATION: {"sqs.CreateQueue"}}
    assert caller_of(calls[2]) == ""


def test_a_missing_and_a_superfluous_call_are_told_by_name() -> None:
    expected = Calls({RUN: {"sqs.ListQueues", "sqs.GetQueueUrl"}, CLOUDFORMATION: {"sqs.TagQueue"}})
    fresh = Calls({RUN: {"sqs.ListQueues", "ecs.ListTasks"}, CLOUDFORMATION: {"sqs.CreateQueue"}})
    assert differences(expected, fresh) == [
        "missing: the run calls ecs.ListTasks",
        "superfluous: the run never calls sqs.GetQueueUrl",
        "missing: CloudFormation calls sqs.CreateQueue",
        "superfluous: CloudFormation never calls sqs.TagQueue",
    ]


def test_what_the_guard_allows_in_need_is_in_the_policy_whether_it_was_called_or_not() -> None:
    assert differences(Calls(), Calls({RUN: {"sqs.PurgeQueue"}, CLOUDFORMATION: set()})) == []
    assert "sqs:PurgeQueue" in actions_by_caller(Calls())[RUN]


def test_a_recorded_call_is_held_against_the_policy() -> None:
    allowed = policy(settings())
    queue = f"http://sqs.us-west-2.amazonaws.com/{ACCOUNT}/"
    mine = a_call("sqs", "SendMessage", QueueUrl=queue + "webordinary-it-inbound")
    foreign = a_call("sqs", "SendMessage", QueueUrl=queue + "somebody-elses-orders")
    assert list(refused(allowed, mine, REGION, ACCOUNT)) == []
    assert list(refused(allowed, foreign, REGION, ACCOUNT)) == [
        f"sqs:SendMessage on arn:aws:sqs:us-west-2:{ACCOUNT}:somebody-elses-orders"
    ]
    assert list(refused(allowed, a_call("lambda", "Invoke"), REGION, ACCOUNT)) == ["lambda:Invoke on *"]


def test_tasks_and_services_are_looked_at_with_their_cluster() -> None:
    task = f"arn:aws:ecs:us-west-2:{ACCOUNT}:task/webordinary-it-edit-cluster/1"
    call = a_call("ecs", "ExecuteCommand", cluster="webordinary-it-edit-cluster", task=task)
    assert arns(call, REGION, ACCOUNT) == [task, f"arn:aws:ecs:us-west-2:{ACCOUNT}:cluster/webordinary-it-edit-cluster"]


# ---- Who may take the role
def test_the_role_is_taken_by_one_repositorys_workflows_only() -> None:
    document = trust_policy(settings(), "repo:acme/site:environment:live")
    told = document["Statement"][0]
    assert told["Principal"]["Federated"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    assert told["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:acme/site:environment:live",
    }
