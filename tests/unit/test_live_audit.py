"""Whose a thing is: by tags, by the template's names, by ids that were noted."""

from __future__ import annotations

import pytest

from kit.backends.deploy import template_text
from kit.live import tags
from kit.live.audit import Marks, audit, marks_of
from kit.live.inventory import Ground, Looked, Thing
from kit.live.inventory.everything import LISTINGS
from kit.live.inventory.thing import last, type_of
from kit.live.removal import REMOVALS
from kit.template import Template
from tests.support.kit import ManualClock

STACK = "the-stack"
TEMPLATE = Template.read(template_text(None), {"ReceiptRuleSetName": "inbound"})


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-west-2:123456789012:{name}"


def marks(*ids: str) -> Marks:
    return marks_of(STACK, "mine", TEMPLATE, ids)


def looked(thing: Thing, run: str | None = None, stack: str = STACK) -> Looked:
    return Looked([thing], {} if run is None else {thing.arn: tags.tags(stack, run, 0)})


QUEUE = Thing(
    "AWS::SQS::Queue", "https://sqs/123456789012/webordinary-it-inbound", arn("sqs", "webordinary-it-inbound")
)
STRANGE = Thing("AWS::SQS::Queue", "https://sqs/123456789012/other", arn("sqs", "other"))


@pytest.mark.parametrize(
    ("thing", "run", "ids", "mine"),
    [
        (STRANGE, "mine", [], True),
        (STRANGE, "another", [], False),
        (STRANGE, None, [], False),
        (STRANGE, None, [STRANGE.name], True),
        (QUEUE, None, [], True),
        (QUEUE, "another", [QUEUE.name], False),
    ],
)
def test_tags_go_before_names_and_ids(thing: Thing, run: str | None, ids: list[str], mine: bool) -> None:
    assert marks(*ids).of(thing, looked(thing, run)) is mine


def test_the_tags_of_another_stack_are_anothers() -> None:
    assert not marks().of(STRANGE, looked(STRANGE, "mine", stack="another-stack"))


@pytest.mark.parametrize(
    "thing",
    [
        Thing("AWS::SES::ReceiptRule", "webordinary-it-inbound"),
        Thing("AWS::CloudWatch::Dashboard", "webordinary-it-test-results"),
        Thing("AWS::Logs::LogGroup", "/ecs/webordinary-it/hermes", arn("logs", "log-group:/ecs/webordinary-it/hermes")),
        Thing("AWS::IAM::Role", f"{STACK}-HermesRole-ABC"),
        Thing("ECS task", arn("ecs", "task/c/1"), inside=frozenset({"webordinary-it-edit-cluster"})),
        Thing("AWS::EC2::NetworkInterface", "eni-1", inside=frozenset({"vpc-noted"})),
    ],
)
def test_what_carries_no_tags_is_known_by_its_name_or_by_what_it_is_in(thing: Thing) -> None:
    assert marks("vpc-noted").of(thing, Looked([thing], {}))


@pytest.mark.parametrize(
    "thing",
    [
        Thing("AWS::SES::ReceiptRule", "webordinary-it-inbound-2"),
        Thing("AWS::IAM::Role", f"{STACK}-2-HermesRole-ABC"),
        Thing("AWS::Logs::LogGroup", "/aws/hermes", arn("logs", "log-group:/aws/hermes")),
        Thing("AWS::EC2::NetworkInterface", "eni-1", inside=frozenset({"vpc-other"})),
    ],
)
def test_what_is_only_called_alike_is_not(thing: Thing) -> None:
    assert not marks("vpc-noted").of(thing, Looked([thing], {}))


def test_every_named_resource_of_the_template_has_its_mark() -> None:
    named = {resource.type for resource in TEMPLATE.resources if TEMPLATE.name(resource) != resource.id}
    unmarked = {"AWS::ApplicationAutoScaling::ScalingPolicy", "AWS::SES::ReceiptRuleSet"}  # gone with their targets
    assert named - unmarked <= set(marks().names)


def test_every_removal_is_of_something_that_is_listed() -> None:
    types = {type for _, covered in LISTINGS for type in covered}
    assert len(types) == sum(len(covered) for _, covered in LISTINGS)
    assert all(kind.startswith(("AWS::", "ECS", "FIS")) for kind in REMOVALS)


async def test_what_is_not_shown_is_not_proven() -> None:
    class Refusing:
        async def call(self, *_: object, **__: object) -> None:
            raise PermissionError("AccessDenied: not you")

        pages = call

    clock = ManualClock()
    left = await audit(Ground(Refusing(), "us-west-2", "1"), clock, marks())  # type: ignore[arg-type]  # refuses all
    assert len(left) == len(LISTINGS) + 1
    assert "queues could not be looked at: AccessDenied: not you" in map(str, left)


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
