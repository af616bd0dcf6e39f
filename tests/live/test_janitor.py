"""What the janitor collects, and what it leaves alone; who is over, who is at work, and whose nobody knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.account import everything, foreign, inject, kit
from webordinary_testkit.kit.aws.undo import FAULT_ENTRY, UndoCall
from webordinary_testkit.kit.backends.emulated.rehearsal import RULE_SET, Account
from webordinary_testkit.kit.backends.live import tags
from webordinary_testkit.kit.backends.live.account import clock_of
from webordinary_testkit.kit.backends.live.backend import LiveBackend
from webordinary_testkit.kit.backends.live.ledger import STACK, Header, RunLedger, ledgers
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.settings import load

NAME = "webordinary-integration-test"
HOUR = 3600.0
DEAD = 2**22 + 1
"""A process id that no process has: Linux' own end at 4194304."""


@pytest.fixture(autouse=True)
def untouched(account: Account) -> Iterator[None]:
    before, theirs = everything(), foreign()
    yield
    assert foreign() == theirs
    assert everything() == before


def now() -> float:
    return clock_of(load({})).now()


def marks(run: str, expires: float, stack: str = NAME) -> dict[str, str]:
    return tags.tags(stack, run, now() + expires)


def a_ledger(folder: Path, run: str, *, pid: int = DEAD, expires: float = HOUR) -> RunLedger:
    """Of a run that died, unless it is given a process that lives."""
    header = Header(run, "123456789012", "us-west-2", NAME, now() + expires, pid=pid, started="")
    return RunLedger.of_run(folder, header, clock_of(load({})))


def a_queue(name: str, carrying: dict[str, str]) -> str:
    return str(boto3.client("sqs").create_queue(QueueName=name, tags=carrying)["QueueUrl"])


def removed(url: str) -> None:
    boto3.client("sqs").delete_queue(QueueUrl=url)


async def test_what_has_expired_is_shown_first_and_removed_when_told_to(account: Account, tmp_path: Path) -> None:
    a_queue("it-old", marks("old", -1))
    shown = await kit("janitor", report_dir=tmp_path)
    assert shown.code == 1 and "left      AWS::SQS::Queue" in shown.text and "of run old: expired since" in shown.text
    assert "remove: kit janitor --yes" in shown.text and "it-old" in str(everything())
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and "removed   AWS::SQS::Queue" in swept.text
    again = await kit("janitor", "--yes", "--json", report_dir=tmp_path)
    assert again.code == 0 and json.loads(again.text) == []


async def test_what_has_not_expired_is_kept_unless_its_process_is_known_to_be_gone(
    account: Account, tmp_path: Path
) -> None:
    url = a_queue("it-young", marks("young", HOUR))
    kept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert kept.code == 0 and "kept      AWS::SQS::Queue" in kept.text and "of run young: until" in kept.text
    ledger = a_ledger(tmp_path, "young")
    ledger.created(ledger.intend("AWS::SQS::Queue", "Young"), url)
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and f"its process {DEAD} is gone" in swept.text
    assert [entry for ledger in ledgers(tmp_path, clock_of(load({}))) for entry in ledger.open()] == []


async def test_what_does_not_say_whose_it_is_is_told_and_left(account: Account, tmp_path: Path) -> None:
    url = a_queue("it-whose", {tags.MARKER: NAME})
    said = await kit("janitor", "--yes", report_dir=tmp_path)
    assert said.code == 0 and "doubtful  AWS::SQS::Queue" in said.text
    removed(url)


async def test_a_kind_that_is_left_to_people_keeps_its_reason_when_other_deletions_are_retried(
    account: Account, tmp_path: Path
) -> None:
    s3, url = boto3.client("s3"), a_queue("it-denied", marks("old", -1))
    s3.create_bucket(Bucket="it-bucket", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_tagging(Bucket="it-bucket", Tagging={"TagSet": tags.as_list(marks("old", -1))})
    end = inject(account, kind="error", service="sqs", operation="DeleteQueue", status=403, code="AccessDenied")
    try:
        swept = await kit("janitor", "--yes", report_dir=tmp_path)
    finally:
        end()
        s3.delete_bucket(Bucket="it-bucket")
        removed(url)
    assert swept.code == 1 and "AccessDenied" in swept.text, swept.text
    assert "AWS::S3::Bucket it-bucket is not deleted automatically" in swept.text, swept.text


async def test_a_stack_that_lets_nobody_look_into_it_ends_no_sweep(account: Account, tmp_path: Path) -> None:
    """Another kit's, as this kit's role sees it: expired, and AWS denies every look at it."""
    cloudformation, name = boto3.client("cloudformation"), "another-kits"
    cloudformation.create_stack(
        StackName=name,
        TemplateBody='{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "another-kits"}}}}',
        Tags=tags.as_list(marks("theirs", -1, name)),
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    a_queue("it-old", marks("old", -1))
    end = inject(
        account, kind="error", service="cloudformation", operation="DescribeStacks", status=403, code="AccessDenied"
    )
    try:
        swept = await kit("janitor", "--yes", report_dir=tmp_path)
    finally:
        end()
    assert swept.code == 1 and f"left      stack {name}: it could not be read" in swept.text, swept.text
    assert "removed   AWS::SQS::Queue" in swept.text and "it-old" in swept.text
    assert boto3.client("sqs").get_queue_url(QueueName=name), "a part of a stack that may stand"
    freed = await kit("janitor", "--yes", report_dir=tmp_path)
    assert freed.code == 0 and f"removed   stack {name}" in freed.text, freed.text


async def test_a_change_set_that_was_never_executed(account: Account, tmp_path: Path) -> None:
    a_ledger(tmp_path, "early").intend(STACK, NAME)
    boto3.client("cloudformation").create_change_set(
        StackName=NAME,
        ChangeSetName="early",
        ChangeSetType="CREATE",
        TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
    )
    other = await kit("janitor", "--yes", report_dir=tmp_path / "other")
    assert other.code == 0 and NAME not in other.text, "only the run's own machine knows whose it is"
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and f"removed   stack {NAME} (REVIEW_IN_PROGRESS)" in swept.text, swept.text


async def test_a_receipt_rule_that_lost_its_topic_and_one_that_has_it(account: Account, tmp_path: Path) -> None:
    ses, sns = boto3.client("ses"), boto3.client("sns")
    alive = sns.create_topic(Name="it-alive")["TopicArn"]
    ledger = a_ledger(tmp_path, "mailer")
    for name, topic in (("it-dangling", alive.replace("it-alive", "it-dead")), ("it-working", alive)):
        action: Any = {"SNSAction": {"TopicArn": alive, "Encoding": "UTF-8"}}
        if name == "it-dangling":
            lost = sns.create_topic(Name="it-dead")["TopicArn"]
            action = {"SNSAction": {"TopicArn": topic, "Encoding": "UTF-8"}}
        ses.create_receipt_rule(
            RuleSetName=RULE_SET, Rule={"Name": name, "Enabled": True, "Recipients": [], "Actions": [action]}
        )
        ledger.created(ledger.intend("AWS::SES::ReceiptRule", name), name)
    sns.delete_topic(TopicArn=lost)
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert "removed   AWS::SES::ReceiptRule it-dangling" in swept.text, swept.text
    rules = [rule["Name"] for rule in ses.describe_active_receipt_rule_set()["Rules"]]
    assert "it-dangling" not in rules and "it-working" in rules
    ses.delete_receipt_rule(RuleSetName=RULE_SET, RuleName="it-working")
    sns.delete_topic(TopicArn=alive)


async def test_a_fault_that_a_dead_run_left_in_a_stack_that_stays_is_undone(account: Account, tmp_path: Path) -> None:
    settings = load({"mode": "live", "report_dir": str(tmp_path), "live": {"reuse": True}})
    maker = LiveBackend(settings, tmp_path, History(clock_of(settings)))
    cloud = await maker.start()
    await maker.stop(keep=True)
    dynamodb, table = boto3.client("dynamodb"), cloud.stack.mail_table_name
    ledger = a_ledger(tmp_path, "faulty")
    free = {"MaxReadRequestUnits": -1, "MaxWriteRequestUnits": -1}
    call = UndoCall("dynamodb", "update_table", {"TableName": table, "OnDemandThroughput": free})
    ledger.intend(FAULT_ENTRY, "throttle 1", until=now() + HOUR, undo=[vars(call)])
    slow = {"MaxReadRequestUnits": 1, "MaxWriteRequestUnits": 1}
    dynamodb.update_table(TableName=table, OnDemandThroughput=slow)
    shown = await kit("janitor", report_dir=tmp_path)
    assert shown.code == 1 and "left      fault throttle 1 of run faulty: never undone" in shown.text, shown.text
    assert f"kept      stack {NAME}" in shown.text
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and "removed   fault throttle 1 of run faulty: undone" in swept.text, swept.text
    found = dynamodb.describe_table(TableName=table)["Table"].get("OnDemandThroughput", {})
    assert found.get("MaxWriteRequestUnits", -1) == -1
    assert ledger.__class__.of_run(tmp_path, ledger.header, clock_of(load({}))).open() == []
    assert (await kit("destroy", report_dir=tmp_path)).code == 0
