"""A resource's run is identified by tags, by the template's names and by recorded ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.support.kit import ManualClock
from webordinary_testkit.kit.aws.deploy import template_text
from webordinary_testkit.kit.aws.template import Template
from webordinary_testkit.kit.backends.live import tags
from webordinary_testkit.kit.backends.live.audit import Marks, audit, marks_of
from webordinary_testkit.kit.backends.live.delete_calls import DELETE_CALLS
from webordinary_testkit.kit.backends.live.inventory import AwsAccount, Resource, Snapshot, take_snapshot
from webordinary_testkit.kit.backends.live.inventory.listings import LISTINGS
from webordinary_testkit.kit.backends.live.inventory.regions import unavailable_reason
from webordinary_testkit.kit.backends.live.inventory.resource import last, type_of
from webordinary_testkit.kit.core.errors import InfraError
from webordinary_testkit.kit.core.history import History

STACK = "the-stack"
LOG_GROUP = "/ecs/webordinary-it/hermes"
TEMPLATE = Template.read(template_text(None), {"ReceiptRuleSetName": "inbound"})


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-west-2:123456789012:{name}"


def marks(*ids: str) -> Marks:
    return marks_of(STACK, "mine", TEMPLATE, ids)


def snapshot_of(resource: Resource, run: str | None = None, stack: str = STACK) -> Snapshot:
    return Snapshot([resource], {} if run is None else {resource.arn: tags.tags(stack, run, 0)})


QUEUE = Resource(
    "AWS::SQS::Queue", "https://sqs/123456789012/webordinary-it-inbound", arn("sqs", "webordinary-it-inbound")
)
STRANGE = Resource("AWS::SQS::Queue", "https://sqs/123456789012/other", arn("sqs", "other"))


@pytest.mark.parametrize(
    ("resource", "run", "ids", "mine"),
    [
        (STRANGE, "mine", [], True),
        (STRANGE, "another", [], False),
        (STRANGE, None, [], False),
        (STRANGE, None, [STRANGE.name], True),
        (QUEUE, None, [], True),
        (QUEUE, "another", [QUEUE.name], False),
    ],
)
def test_tags_go_before_names_and_ids(resource: Resource, run: str | None, ids: list[str], mine: bool) -> None:
    assert marks(*ids).of(resource, snapshot_of(resource, run)) is mine


def test_the_tags_of_another_stack_are_anothers() -> None:
    assert not marks().of(STRANGE, snapshot_of(STRANGE, "mine", stack="another-stack"))


@pytest.mark.parametrize(
    "resource",
    [
        Resource("AWS::SES::ReceiptRule", "webordinary-it-inbound"),
        Resource("AWS::CloudWatch::Dashboard", "webordinary-it-test-results"),
        Resource("AWS::Logs::LogGroup", LOG_GROUP, arn("logs", f"log-group:{LOG_GROUP}")),
        Resource("AWS::IAM::Role", f"{STACK}-HermesRole-ABC"),
        Resource("ECS task", arn("ecs", "task/c/1"), inside=frozenset({"webordinary-it-edit-cluster"})),
        Resource("AWS::EC2::NetworkInterface", "eni-1", inside=frozenset({"vpc-noted"})),
    ],
)
def test_what_carries_no_tags_is_known_by_its_name_or_by_what_it_is_in(resource: Resource) -> None:
    assert marks("vpc-noted").of(resource, Snapshot([resource], {}))


@pytest.mark.parametrize(
    "resource",
    [
        Resource("AWS::SES::ReceiptRule", "webordinary-it-inbound-2"),
        Resource("AWS::IAM::Role", f"{STACK}-2-HermesRole-ABC"),
        Resource("AWS::Logs::LogGroup", "/aws/hermes", arn("logs", "log-group:/aws/hermes")),
        Resource("AWS::EC2::NetworkInterface", "eni-1", inside=frozenset({"vpc-other"})),
    ],
)
def test_what_is_only_called_alike_is_not(resource: Resource) -> None:
    assert not marks("vpc-noted").of(resource, Snapshot([resource], {}))


def test_every_named_resource_of_the_template_has_its_mark() -> None:
    named = {resource.type for resource in TEMPLATE.resources if TEMPLATE.name(resource) != resource.id}
    unmarked = {"AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::SES::ReceiptRuleSet"}  # gone with their targets
    assert named - unmarked <= set(marks().names)


def test_every_removal_is_of_something_that_is_listed() -> None:
    types = {type for listing in LISTINGS for type in listing.arn_types}
    assert len(types) == sum(len(listing.arn_types) for listing in LISTINGS)
    assert all(kind.startswith(("AWS::", "ECS", "FIS")) for kind in DELETE_CALLS)


async def test_what_is_not_shown_is_not_proven() -> None:
    class Refusing:
        async def call(self, *_: object, **__: object) -> None:
            raise PermissionError("AccessDenied: not you")

        pages = call

    clock = ManualClock()
    left = await audit(AwsAccount(Refusing(), "us-west-2", "1"), clock, marks())  # type: ignore[arg-type]  # refuses all
    assert len(left) == len(LISTINGS) + 1
    assert "queues could not be read: AccessDenied: not you" in map(str, left)


def refused(code: str, message: str = "", operation: str = "DescribeActiveReceiptRuleSet") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Account:
    """An account that holds nothing, and answers as a test says."""

    def __init__(self, clock: ManualClock, answers: Mapping[str, Callable[[Mapping[str, Any]], Any]]) -> None:
        self.answers = answers
        self.history = History(clock)

    async def call(self, _: str, operation: str, **params: object) -> Any:
        return self.answers.get(operation, lambda _: {})(params)

    async def pages(self, _: str, operation: str, __: str, **params: object) -> Any:
        return self.answers.get(operation, lambda _: [])(params)


def an_account(clock: ManualClock, **answers: Callable[[Mapping[str, Any]], Any]) -> AwsAccount:
    return AwsAccount(Account(clock, answers), "us-west-2", "1")  # type: ignore[arg-type]  # all that listings use


def raising(error: Exception, times: int = 10_000) -> Callable[[Mapping[str, Any]], Any]:
    left = iter(range(times))

    def answer(_: Mapping[str, Any]) -> list[Any]:
        if next(left, None) is not None:
            raise error
        return []

    return answer


async def test_what_is_throttled_is_snapshot_at_again() -> None:
    clock = ManualClock()
    busy = raising(refused("ThrottlingException", "Rate exceeded", "ListQueues"), times=2)
    assert await audit(an_account(clock, list_queues=busy), clock, marks()) == []
    assert clock.now() > 0


async def test_what_is_never_shown_is_told_when_time_is_up() -> None:
    clock = ManualClock()
    began = clock.now()
    left = await audit(an_account(clock, list_queues=raising(refused("AccessDenied"))), clock, marks(), within=60)
    assert [str(one).partition(":")[0] for one in left] == ["queues could not be read"]
    assert clock.now() - began >= 60


async def test_a_cluster_that_goes_while_it_is_snapshot_at_is_gone() -> None:
    clock = ManualClock()
    clusters = [arn("ecs", "cluster/goes"), arn("ecs", "cluster/webordinary-it-edit-cluster")]

    def services(params: Mapping[str, Any]) -> list[str]:
        if params["cluster"] == clusters[0]:
            raise refused("ClusterNotFoundException", operation="ListServices")
        return []

    account = an_account(clock, list_clusters=lambda _: clusters, list_services=services)
    snapshot = await take_snapshot(account)
    assert snapshot.unreadable == []
    assert [resource.name for resource in snapshot.resources] == ["webordinary-it-edit-cluster"]


async def test_a_region_where_ses_receives_no_mail_has_no_rules_and_the_history_says_so() -> None:
    clock = ManualClock()
    account = an_account(
        clock, describe_active_receipt_rule_set=raising(refused("InvalidAction", "Unavailable Operation"))
    )
    assert await audit(account, clock, marks()) == []
    (noted,) = [each for each in account.aws.history.events() if each.type == "ok"]
    assert noted.name == "audit.absent"
    assert "receipt rules: the region has no DescribeActiveReceiptRuleSet" in str(noted.value)


async def test_stacks_are_listed_without_the_right_to_describe_them_all() -> None:
    listed = [
        {"StackName": "exists", "StackId": arn("cloudformation", "stack/exists/1"), "StackStatus": "CREATE_COMPLETE"},
        {"StackName": "gone", "StackId": arn("cloudformation", "stack/gone/1"), "StackStatus": "DELETE_COMPLETE"},
    ]
    denied = raising(refused("AccessDenied", operation="DescribeStacks"))
    listing = next(each for each in LISTINGS if each.what == "stacks")
    account = an_account(ManualClock(), list_stacks=lambda _: listed, describe_stacks=denied)
    assert [resource.name for resource in await listing.read(account)] == ["exists"]


@pytest.mark.parametrize(
    ("host", "exists", "absent"),
    [
        ("fis.us-west-2.amazonaws.com", False, True),
        ("fis.us-west-2.amazonaws.com", True, False),
        ("127.0.0.1:4566", False, False),
    ],
)
async def test_a_service_without_an_address_is_not_in_the_region_and_one_that_does_not_answer_may_be(
    host: str, exists: bool, absent: bool
) -> None:
    error = InfraError("AWS does not answer")
    error.__cause__ = EndpointConnectionError(endpoint_url=f"https://{host}/")
    assert bool(await unavailable_reason(error, exists=lambda _: exists)) is absent


@pytest.mark.parametrize("error", [refused("Throttling", "Rate exceeded"), refused("InvalidAction", "x"), OSError("x")])
async def test_no_other_error_says_that_a_region_lacks_anything(error: Exception) -> None:
    assert await unavailable_reason(error, exists=lambda _: False) == ""


@pytest.mark.parametrize(
    ("name", "type"),
    [
        (arn("sqs", "q"), "sqs:"),
        (arn("ecs", "service/c/s"), "ecs:service"),
        (arn("logs", "log-group:/ecs/x"), "logs:log-group"),
        (arn("cloudwatch", "alarm:a"), "cloudwatch:alarm"),
        ("arn:aws:s3:::bucket", "s3:"),
        ("no arn", ""),
    ],
)
def test_types_of_arns(name: str, type: str) -> None:
    assert type_of(name) == type


def test_the_last_part_of_a_name() -> None:
    assert [last(each) for each in ("https://sqs/1/q", arn("ecs", "task/c/1"), "plain")] == ["q", "1", "plain"]
