"""Receipt rule sets and rules, as boto3 sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.mailroom import Mailroom, mailroom
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ses.receiving.rules import Rule, RuleSets

STOP = {"StopAction": {"Scope": "RuleSet"}}


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom() as room:
        yield room


async def ask(room: Mailroom, operation: str, **params: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await room.boto("ses", lambda ses: getattr(ses, operation)(**params))
    answer.pop("ResponseMetadata")
    return answer


async def refused(room: Mailroom, operation: str, **params: Any) -> Mapping[str, Any]:
    with pytest.raises(ClientError) as error:
        await ask(room, operation, **params)
    refusal: Mapping[str, Any] = error.value.response["Error"]
    return refusal


async def make(room: Mailroom, name: str, after: str | None = None, **members: Any) -> None:
    rest = {} if after is None else {"After": after}
    await ask(room, "create_receipt_rule", RuleSetName="rules", Rule={"Name": name, **members}, **rest)


async def order(room: Mailroom) -> list[str]:
    return [rule["Name"] for rule in (await ask(room, "describe_receipt_rule_set", RuleSetName="rules"))["Rules"]]


async def test_a_rule_set_lives_is_active_and_is_deleted(room: Mailroom) -> None:
    await ask(room, "create_receipt_rule_set", RuleSetName="another.set")

    assert [known["Name"] for known in (await ask(room, "list_receipt_rule_sets"))["RuleSets"]] == [
        "another.set",
        "rules",
    ]
    active = await ask(room, "describe_active_receipt_rule_set")
    assert active["Metadata"]["Name"] == "rules"
    assert (await refused(room, "delete_receipt_rule_set", RuleSetName="rules"))["Code"] == "CannotDelete"

    await ask(room, "set_active_receipt_rule_set")
    assert await ask(room, "describe_active_receipt_rule_set") == {}
    await ask(room, "delete_receipt_rule_set", RuleSetName="rules")
    await ask(room, "delete_receipt_rule_set", RuleSetName="rules")  # idempotent
    assert [known["Name"] for known in (await ask(room, "list_receipt_rule_sets"))["RuleSets"]] == ["another.set"]


async def test_a_rule_is_described_with_its_defaults(room: Mailroom) -> None:
    await make(room, "plain")

    answer = await ask(room, "describe_receipt_rule", RuleSetName="rules", RuleName="plain")

    assert answer["Rule"] == {
        "Name": "plain",
        "Enabled": False,
        "TlsPolicy": "Optional",
        "Actions": [],
        "ScanEnabled": False,
    }


async def test_recipients_are_kept_in_lower_case_once_and_sorted(room: Mailroom) -> None:
    await make(
        room, "who", Recipients=["z@EXAMPLE.com", "A@Example.com", "a@example.com", "EXAMPLE.com", ".Example.com"]
    )

    answer = await ask(room, "describe_receipt_rule", RuleSetName="rules", RuleName="who")

    assert answer["Rule"]["Recipients"] == [".example.com", "a@example.com", "example.com", "z@example.com"]


async def test_a_new_rule_comes_first_or_after_the_one_named(room: Mailroom) -> None:
    await make(room, "one")
    await make(room, "two")
    await make(room, "three", after="two")

    assert await order(room) == ["two", "three", "one"]


async def test_rules_are_moved_reordered_and_removed(room: Mailroom) -> None:
    for name in ("c", "b", "a"):
        await make(room, name)

    await ask(room, "set_receipt_rule_position", RuleSetName="rules", RuleName="a", After="c")
    assert await order(room) == ["b", "c", "a"]
    await ask(room, "set_receipt_rule_position", RuleSetName="rules", RuleName="a")
    assert await order(room) == ["a", "b", "c"]
    await ask(room, "reorder_receipt_rule_set", RuleSetName="rules", RuleNames=["c", "a", "b"])
    assert await order(room) == ["c", "a", "b"]
    await ask(room, "delete_receipt_rule", RuleSetName="rules", RuleName="a")
    await ask(room, "delete_receipt_rule", RuleSetName="rules", RuleName="a")  # idempotent
    assert await order(room) == ["c", "b"]


async def test_a_reordering_that_forgets_a_rule_is_refused_and_changes_nothing(room: Mailroom) -> None:
    for name in ("b", "a"):
        await make(room, name)

    error = await refused(room, "reorder_receipt_rule_set", RuleSetName="rules", RuleNames=["b"])

    assert error["Code"] == "InvalidParameterValue"
    assert await order(room) == ["a", "b"]


async def test_an_update_replaces_the_rule_where_it_is(room: Mailroom) -> None:
    for name in ("b", "a"):
        await make(room, name)

    rule = {"Name": "b", "Enabled": True, "Actions": [STOP]}
    await ask(room, "update_receipt_rule", RuleSetName="rules", Rule=rule)

    answer = await ask(room, "describe_receipt_rule_set", RuleSetName="rules")
    assert [(known["Name"], known["Enabled"], known["Actions"]) for known in answer["Rules"]] == [
        ("a", False, []),
        ("b", True, [STOP]),
    ]


async def test_a_clone_has_the_rules_and_a_life_of_its_own(room: Mailroom) -> None:
    await make(room, "kept")
    await ask(room, "clone_receipt_rule_set", OriginalRuleSetName="rules", RuleSetName="clone")
    await ask(room, "delete_receipt_rule", RuleSetName="rules", RuleName="kept")

    answer = await ask(room, "describe_receipt_rule_set", RuleSetName="clone")

    assert [rule["Name"] for rule in answer["Rules"]] == ["kept"]


@pytest.mark.parametrize(
    ("operation", "params", "code", "message"),
    [
        ("describe_receipt_rule_set", {"RuleSetName": "no"}, "RuleSetDoesNotExist", "Rule set does not exist: no"),
        ("set_active_receipt_rule_set", {"RuleSetName": "no"}, "RuleSetDoesNotExist", "Rule set does not exist: no"),
        ("create_receipt_rule_set", {"RuleSetName": "rules"}, "AlreadyExists", "Rule set already exists: rules"),
        (
            "describe_receipt_rule",
            {"RuleSetName": "rules", "RuleName": "no"},
            "RuleDoesNotExist",
            "Rule does not exist: no",
        ),
        (
            "create_receipt_rule",
            {"RuleSetName": "rules", "Rule": {"Name": "x"}, "After": "no"},
            "RuleDoesNotExist",
            "Rule does not exist: no",
        ),
        (
            "update_receipt_rule",
            {"RuleSetName": "rules", "Rule": {"Name": "no"}},
            "RuleDoesNotExist",
            "Rule does not exist: no",
        ),
        ("create_receipt_rule_set", {"RuleSetName": "-x"}, "InvalidParameterValue", "Not a valid ruleSetName: -x"),
        ("list_receipt_rule_sets", {"NextToken": "x"}, "InvalidParameterValue", "Invalid token: x"),
    ],
)
async def test_ses_refuses(room: Mailroom, operation: str, params: dict[str, Any], code: str, message: str) -> None:
    error = await refused(room, operation, **params)

    assert (error["Code"], error["Message"]) == (code, message)


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        ({"Recipients": ["not valid"]}, "InvalidParameterValue", "Invalid recipient: not valid"),
        (
            {"Actions": [STOP, {"AddHeaderAction": {"HeaderName": "X", "HeaderValue": "y"}}]},
            "InvalidParameterValue",
            "Stop action, if any, must be placed at the end of the actions list",
        ),
        (
            {"Actions": [{**STOP, "AddHeaderAction": {"HeaderName": "X", "HeaderValue": "y"}}]},
            "InvalidParameterValue",
            "Exactly one action type must be specified for each ReceiptAction",
        ),
        (
            {"Actions": [{"AddHeaderAction": {"HeaderName": "X bad", "HeaderValue": "y"}}]},
            "InvalidParameterValue",
            "Invalid header name: X bad",
        ),
        ({"Actions": [STOP] * 11}, "LimitExceeded", "Maximum number of actions in a rule exceeded: 10"),
        (
            {"Recipients": [f"u{number}@x.org" for number in range(101)]},
            "LimitExceeded",
            "Maximum number of recipients in a rule exceeded: 100",
        ),
        (
            {"Actions": [{"S3Action": {"BucketName": "nowhere"}}]},
            "InvalidS3Configuration",
            "Could not write to bucket: nowhere",
        ),
        (
            {"Actions": [{"SNSAction": {"TopicArn": "arn:aws:sns:us-west-2:123456789012:no"}}]},
            "InvalidSnsTopic",
            "Invalid SNS topic: arn:aws:sns:us-west-2:123456789012:no",
        ),
    ],
)
async def test_a_bad_rule_is_refused_and_not_kept(
    room: Mailroom, rule: dict[str, Any], code: str, message: str
) -> None:
    error = await refused(room, "create_receipt_rule", RuleSetName="rules", Rule={"Name": "bad", **rule})

    assert (error["Code"], error["Message"]) == (code, message)
    assert await order(room) == []


@pytest.mark.parametrize(
    "action",
    [
        {"LambdaAction": {"FunctionArn": "arn:aws:lambda:us-west-2:123456789012:function:f"}},
        {"WorkmailAction": {"OrganizationArn": "arn:aws:workmail:us-west-2:123456789012:organization/m-1"}},
        {"S3Action": {"BucketName": "b", "KmsKeyArn": "arn:aws:kms:us-west-2:123456789012:key/1"}},
    ],
)
async def test_an_action_nobody_makes_real_is_an_error_that_says_so(room: Mailroom, action: dict[str, Any]) -> None:
    error = await refused(room, "create_receipt_rule", RuleSetName="rules", Rule={"Name": "x", "Actions": [action]})

    assert error["Code"] == "NotImplemented"
    assert "not emulated" in error["Message"]
    assert await order(room) == []


async def test_a_rule_with_every_kind_of_action_reads_back_as_it_was_written(room: Mailroom) -> None:
    await room.call("s3", "CreateBucket", Bucket="mails", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    await room.call("sns", "CreateTopic", Name="news")
    actions = [
        {"AddHeaderAction": {"HeaderName": "X-Seen", "HeaderValue": "café"}},
        {"S3Action": {"BucketName": "mails", "ObjectKeyPrefix": "in", "TopicArn": room.topic("news")}},
        room.publish("news", "Base64"),
        {"BounceAction": {"SmtpReplyCode": "550", "StatusCode": "5.1.1", "Message": "no", "Sender": "a@x.org"}},
        {"StopAction": {"Scope": "RuleSet", "TopicArn": room.topic("news")}},
    ]

    await make(room, "full", Actions=actions)

    answer = await ask(room, "describe_receipt_rule", RuleSetName="rules", RuleName="full")
    assert answer["Rule"]["Actions"] == actions


def test_there_are_at_most_40_rule_sets_and_200_rules_in_each() -> None:
    from webordinary_testkit.emulation.time.clock import Clock

    now = Clock().utcnow()
    sets = RuleSets()
    for number in range(40):
        sets.create(f"set{number}", now)
    for number in range(200):
        sets.get("set0").add(Rule(f"rule{number}"), None)

    with pytest.raises(AwsError, match="LimitExceeded"):
        sets.create("set40", now)
    with pytest.raises(AwsError, match="LimitExceeded"):
        sets.get("set0").add(Rule("rule200"), None)
