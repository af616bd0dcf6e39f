"""The guard: ten dangerous situations and more, each refused with a message that says why."""

from __future__ import annotations

from typing import Any

import pytest

from webordinary_testkit.kit.backends.live import tags
from webordinary_testkit.kit.backends.live.guard import Guard, Refused
from webordinary_testkit.kit.core.history import is_definite
from webordinary_testkit.kit.settings import Production

ACCOUNT = "123456789012"
ARN = f"arn:aws:ecs:us-west-2:{ACCOUNT}"
QUEUE = f"https://sqs.us-west-2.amazonaws.com/{ACCOUNT}/it-inbound"
PRODUCTION = Production(
    cluster="webordinary-edit-cluster",
    services=("webordinary-hermes-service", "webordinary-edit-service"),
    sessions_table="webordinary-edit-sessions",
)
OURS = tags.as_list(tags.tags("it", "run-1", 2e9))


def a_stack(name: str = "it", tagged: list[dict[str, str]] | None = None) -> dict[str, Any]:
    arn = f"arn:aws:cloudformation:us-west-2:{ACCOUNT}:stack/{name}/1"
    return {"StackName": name, "StackId": arn, "Tags": OURS if tagged is None else tagged}


def a_guard(verified: bool = True, stack: bool = True) -> Guard:
    guard = Guard(ACCOUNT, "it", PRODUCTION)
    if verified:
        guard.verify_account({"Account": ACCOUNT, "Arn": "arn:x"})
    if stack:
        guard.adopt(a_stack())
        guard.own("it-cluster", f"{ARN}:service/it-cluster/it-edit", QUEUE, "it-sessions", "service/a/b|ecs|x")
        guard.own_domains("it.example.com", "clients.it.example.com")
    return guard


def test_the_wrong_account_is_refused() -> None:
    with pytest.raises(Refused, match="999999999999, and the settings expect 123456789012"):
        a_guard(verified=False).verify_account({"Account": "999999999999", "Arn": "arn:x"})


def test_nothing_is_changed_before_the_account_is_known() -> None:
    with pytest.raises(Refused, match="before the account is verified"):
        a_guard(verified=False).check("sqs", "PurgeQueue", {"QueueUrl": QUEUE})


def test_a_stack_without_the_kits_tags_is_refused() -> None:
    with pytest.raises(Refused, match="is not the kit's: tag webordinary-test-kit is absent"):
        a_guard(stack=False).adopt(a_stack(tagged=[]))


def test_another_stack_of_the_kits_is_refused() -> None:
    with pytest.raises(Refused, match="is not the kit's"):
        a_guard(stack=False).adopt(a_stack(tagged=tags.as_list(tags.tags("other", "run-2", 2e9))))


def test_a_stack_is_not_touched_before_it_was_looked_at() -> None:
    with pytest.raises(Refused, match="it is not this run's"):
        a_guard(stack=False).check("cloudformation", "DeleteStack", {"StackName": "it"})


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ecs", "UpdateService", {"cluster": "it-cluster", "service": "webordinary-edit-service", "desiredCount": 0}),
        ("ecs", "UpdateService", {"cluster": f"{ARN}:cluster/webordinary-edit-cluster", "service": "it-edit"}),
        ("dynamodb", "DeleteItem", {"TableName": "webordinary-edit-sessions", "Key": {}}),
    ],
)
def test_the_names_of_production_are_refused(service: str, operation: str, params: dict[str, Any]) -> None:
    guard = a_guard()
    guard.own(*(str(value) for value in params.values()))  # even if somebody took them for the run's
    with pytest.raises(Refused, match="name of the production system"):
        guard.check(service, operation, params)


def test_a_deployment_that_would_take_productions_names_is_refused() -> None:
    with pytest.raises(Refused, match=r"ResourcePrefix"):
        a_guard().refuse_production(["webordinary-edit-cluster"])


@pytest.mark.parametrize(
    ("service", "operation", "params"),
    [
        ("ecs", "UpdateService", {"cluster": "it-cluster", "service": "somebody", "desiredCount": 0}),
        ("ecs", "UpdateService", {"cluster": "default", "service": "it-edit", "desiredCount": 0}),
        ("ecs", "UpdateService", {"service": "it-edit", "desiredCount": 0}),
        ("ecs", "StopTask", {"cluster": "it-cluster", "task": f"{ARN}:task/other-cluster/1234"}),
        ("ecs", "ExecuteCommand", {"cluster": "other", "task": f"{ARN}:task/it-cluster/1234"}),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE + "-of-somebody"}),
        ("sqs", "PurgeQueue", {"QueueUrl": QUEUE.replace("it-inbound", "orders")}),
        ("dynamodb", "UpdateTable", {"TableName": "orders"}),
        ("cloudformation", "DeleteStack", {"StackName": "somebody"}),
        ("cloudformation", "ExecuteChangeSet", {"ChangeSetName": f"arn:aws:cloudformation:r:{ACCOUNT}:changeSet/x/1"}),
        ("cloudwatch", "PutMetricData", {"Namespace": "Theirs", "MetricData": []}),
        ("application-autoscaling", "RegisterScalableTarget", {"ResourceId": "service/prod/web"}),
        ("ses", "DeleteReceiptRule", {"RuleSetName": "theirs", "RuleName": "theirs"}),
        ("fis", "StartExperiment", {"experimentTemplateId": "EXT1"}),
    ],
)
def test_what_the_run_did_not_create_is_refused(service: str, operation: str, params: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="is not this run's"):
        a_guard().check(service, operation, params)


def test_the_active_receipt_rule_set_is_never_switched() -> None:
    guard = a_guard()
    guard.own("ours")
    with pytest.raises(Refused, match="one active receipt rule set"):
        guard.check("ses", "SetActiveReceiptRuleSet", {"RuleSetName": "ours"})


@pytest.mark.parametrize(
    "params",
    [
        {"Source": "a@clients.it.example.com", "Destinations": ["boss@company.example"]},
        {"Source": "boss@company.example", "Destinations": ["edit@it.example.com"]},
        {"Source": "a@clients.it.example.com", "Destinations": ["x@notit.example.com"]},
        {"Destinations": ["edit@it.example.com"]},
        {"Source": "a@clients.it.example.com", "Destinations": []},
        {"Source": "a@clients.it.example.com"},
    ],
)
def test_mail_to_and_from_others_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="in no mail domain of the stack"):
        a_guard().check("ses", "SendRawEmail", {**params, "RawMessage": {"Data": b"x"}})


def test_another_account_in_an_arn_is_refused() -> None:
    guard = a_guard()
    with pytest.raises(Refused, match="is in account 210987654321"):
        guard.check(
            "ecs", "StopTask", {"cluster": "it-cluster", "task": "arn:aws:ecs:r:210987654321:task/it-cluster/1"}
        )


def test_what_would_carry_no_tags_is_refused() -> None:
    guard = a_guard()
    with pytest.raises(Refused, match="without the kit's tags: webordinary-test-kit:run"):
        guard.check("cloudformation", "CreateChangeSet", {"StackName": "it", "Tags": OURS[:1]})
    guard.check("cloudformation", "CreateChangeSet", {"StackName": "it", "Tags": OURS})


@pytest.mark.parametrize("operation", ["CreateUser", "DeleteRole", "Frobnicate"])
def test_a_change_that_nobody_described_is_refused(operation: str) -> None:
    with pytest.raises(Refused, match="no rule names its parameters"):
        a_guard().check("iam", operation, {"UserName": "it"})


def test_what_is_the_runs_passes_and_looking_always_does() -> None:
    guard = a_guard()
    guard.check("ecs", "UpdateService", {"cluster": "it-cluster", "service": "it-edit", "desiredCount": 0})
    guard.check("ecs", "StopTask", {"cluster": "it-cluster", "task": f"{ARN}:task/it-cluster/1234"})
    guard.check("sqs", "ReceiveMessage", {"QueueUrl": QUEUE})
    guard.check("application-autoscaling", "RegisterScalableTarget", {"ResourceId": "service/a/b"})
    guard.check("ses", "SendRawEmail", {"Source": "a@clients.it.example.com", "Destinations": ["edit@it.example.com"]})
    Guard(ACCOUNT, "it", PRODUCTION).check("ecs", "DescribeServices", {"cluster": "webordinary-edit-cluster"})


def test_what_stands_in_the_ledger_is_the_runs() -> None:
    guard = a_guard()
    guard.trust(lambda value: value == "EXT1")
    guard.check("fis", "StartExperiment", {"experimentTemplateId": "EXT1"})


def test_a_family_of_the_stacks_takes_tagged_revisions_and_only_those_in_the_ledger_go() -> None:
    guard = a_guard()
    guard.own(f"{ARN}:task-definition/it-edit:1")
    tagged = [{"key": tag["Key"], "value": tag["Value"]} for tag in OURS]

    guard.check("ecs", "RegisterTaskDefinition", {"family": "it-edit", "tags": tagged})
    with pytest.raises(Refused, match="theirs is not this run's"):
        guard.check("ecs", "RegisterTaskDefinition", {"family": "theirs", "tags": tagged})
    with pytest.raises(Refused, match="without the kit's tags"):
        guard.check("ecs", "RegisterTaskDefinition", {"family": "it-edit"})
    with pytest.raises(Refused, match="it-edit:2 is not this run's"):
        guard.check("ecs", "DeregisterTaskDefinition", {"taskDefinition": f"{ARN}:task-definition/it-edit:2"})
    guard.trust(lambda value: value.endswith("it-edit:2"))
    guard.check("ecs", "DeregisterTaskDefinition", {"taskDefinition": f"{ARN}:task-definition/it-edit:2"})


def test_a_service_takes_a_revision_of_the_stacks_or_of_the_ledgers_only() -> None:
    guard = a_guard()
    guard.own(f"{ARN}:task-definition/it-edit:1")
    service = {"cluster": "it-cluster", "service": "it-edit"}

    guard.check("ecs", "UpdateService", {**service, "taskDefinition": f"{ARN}:task-definition/it-edit:1"})
    for theirs in (f"{ARN}:task-definition/theirs:1", f"{ARN}:task-definition/it-edit:2", "theirs", ""):
        with pytest.raises(Refused, match="is not this run's"):
            guard.check("ecs", "UpdateService", {**service, "taskDefinition": theirs})
    guard.trust(lambda value: value.endswith("it-edit:2"))
    guard.check("ecs", "UpdateService", {**service, "taskDefinition": f"{ARN}:task-definition/it-edit:2"})


@pytest.mark.parametrize("production", [Production(), Production(cluster="shop", services=("till",))])
@pytest.mark.parametrize(
    "name", ["webordinary-edit-cluster", "webordinary-hermes-service", "webordinary-edit-sessions"]
)
def test_production_is_known_without_its_profile_and_beside_other_names(production: Production, name: str) -> None:
    with pytest.raises(Refused, match="name of the production system"):
        Guard(ACCOUNT, "it", production).refuse_production([name])


def test_the_number_of_a_revision_is_nobodys_name() -> None:
    guard = a_guard()
    guard.own(f"{ARN}:task-definition/it-edit:7")

    with pytest.raises(Refused, match="7 is not this run's"):
        guard.check("dynamodb", "DeleteTable", {"TableName": "7"})


def test_a_refusal_is_certain_that_nothing_happened() -> None:
    assert is_definite(Refused("no"))
