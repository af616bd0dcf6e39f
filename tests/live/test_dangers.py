"""What is dangerous in a real account, each refused or survived with a clear message, by the real command.

`before` and `after` every test the account is compared: what is somebody else's in full, all else by name.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.account import calls, everything, foreign, inject, kit, stacks
from webordinary_testkit.kit.aws.deploy import template_text
from webordinary_testkit.kit.backends.emulated.rehearsal import ROLE, RULE_SET, Account
from webordinary_testkit.kit.backends.live import tags
from webordinary_testkit.kit.backends.live.account import clock_of
from webordinary_testkit.kit.backends.live.backend import LiveBackend
from webordinary_testkit.kit.backends.live.ledger import ledgers
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.settings import load

NAME = "webordinary-integration-test"
RUN = ("run", "readiness", "--mode", "live")
NOTHING = "audit: nothing of this run is left in the account"


@pytest.fixture(autouse=True)
def untouched(account: Account) -> Iterator[None]:
    """Whatever a test does, the account is at its end as it was."""
    before, theirs = everything(), foreign()
    yield
    at_the_end = everything(), foreign()
    if NAME in stacks():
        gone(NAME)  # the next test begins with an account as it was, whatever this one did
    assert at_the_end == (before, theirs)


def changed(account: Account, since: int) -> set[str]:
    """What was called from outside since, looks left out."""
    looks = ("Describe", "List", "Get", "BatchGet")
    mine = [call for call in calls(account)[since:] if call["caller_kind"] == "external"]
    return {f"{each['service']}.{each['operation']}" for each in mine if not each["operation"].startswith(looks)}


def a_stack(name: str, body: dict[str, Any], marks: dict[str, str] | None = None) -> str:
    """Somebody's stack, made by hand; waits until it is settled, and returns its ARN."""
    client = boto3.client("cloudformation")
    id = client.create_stack(
        StackName=name, TemplateBody=json.dumps({"Resources": body}), Tags=tags.as_list(marks or {})
    )["StackId"]
    while client.describe_stacks(StackName=id)["Stacks"][0]["StackStatus"].endswith("_IN_PROGRESS"):
        pass
    return str(id)


def gone(name: str) -> None:
    client = boto3.client("cloudformation")
    client.delete_stack(StackName=name)
    client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


TOPIC = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "by-hand"}}


# ---- Refused
async def test_the_wrong_account(account: Account, tmp_path: Path) -> None:
    began = len(calls(account))
    for command in (RUN, ("deploy",), ("destroy",), ("janitor", "--yes")):
        said = await kit(*command, "--set", "account=210987654321", report_dir=tmp_path)
        assert said.code == 2, said.text
        assert "belong to account 123456789012, and the settings expect 210987654321" in said.text
    assert changed(account, began) == set()
    examined = await kit("doctor", "--set", "account=210987654321", report_dir=tmp_path)
    assert examined.code == 1 and "fail  account" in examined.text


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["stack.name=webordinary-edit-cluster"], "webordinary-edit-cluster"),
        (["stack.parameters.ResourcePrefix=webordinary"], "webordinary-edit-cluster"),
        (["stack.parameters.EnvironmentName=webordinary-hermes-service"], "webordinary-hermes-service"),
        (["stack.parameters.SessionPrefix=webordinary-edit-sessions"], "webordinary-edit-sessions"),
    ],
)
async def test_names_of_production_in_settings_and_parameters(
    account: Account, tmp_path: Path, words: list[str], name: str
) -> None:
    began = len(calls(account))
    sets = [part for word in ["profile=webordinary", *words] for part in ("--set", word)]
    said = await kit(*RUN, "--set", f"account={account.account}", *sets, report_dir=tmp_path)
    assert said.code == 2 and f"{name} is a name of the production system" in said.text
    assert calls(account)[began:] == []


async def test_a_stack_of_the_same_name_without_the_kits_tags(account: Account, tmp_path: Path) -> None:
    a_stack(NAME, {"Topic": TOPIC})
    began = len(calls(account))
    for command in (RUN, ("deploy",), ("destroy",)):
        said = await kit(*command, report_dir=tmp_path)
        assert said.code == 2 and f"stack {NAME} is not the kit's" in said.text, said.text
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and NAME not in swept.text
    assert changed(account, began) == set()
    assert stacks() == [NAME]
    gone(NAME)


async def test_a_stack_in_use_by_a_living_run(account: Account, tmp_path: Path) -> None:
    settings = load({"mode": "live", "report_dir": str(tmp_path / "one")})
    living = LiveBackend(settings, tmp_path, History(clock_of(settings)))
    await living.start()
    try:
        for command in (RUN, ("destroy",)):
            said = await kit(*command, report_dir=tmp_path / "two")
            assert said.code == 2 and f"in use by run {living.run}" in said.text, said.text
        for folder in ("one", "two"):
            swept = await kit("janitor", "--yes", report_dir=tmp_path / folder)
            assert swept.code == 0 and f"alive     stack {NAME}" in swept.text, swept.text
        assert await living.health() is None
    finally:
        await living.stop()


async def test_two_runs_that_begin_at_the_same_time(account: Account, tmp_path: Path) -> None:
    """Each on a machine of its own: neither knows of the other but by the account."""
    both = await asyncio.gather(*(kit(*RUN, report_dir=tmp_path / each) for each in ("one", "two")))
    told = "\n".join(said.text for said in both)
    assert NOTHING in told and "Traceback" not in told, told
    for said in both:
        refused = said.code == 2 and any(
            why in said.text for why in ("by run", "in use by", "another user created stack")
        )
        assert refused or NOTHING in said.text, said.text
        assert "is deleted first" not in said.text, told


async def test_a_stack_that_appears_between_the_look_and_the_deployment(account: Account, tmp_path: Path) -> None:
    settings = load({"mode": "live", "report_dir": str(tmp_path)})
    backend = LiveBackend(settings, tmp_path, History(clock_of(settings)))
    made: list[str] = []

    def make(**_: Any) -> None:
        if not made:
            made.append(NAME)
            made.append(a_stack(NAME, {"Topic": TOPIC}, tags.tags(NAME, "quicker", clock_of(settings).now() + 3600)))

    backend.aws.client("cloudformation").meta.events.register("before-call.cloudformation.CreateChangeSet", make)
    with pytest.raises(UsageError, match="another user created stack"):
        await backend.start()
    found = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    assert found["StackId"] == made[1] and found["StackStatus"] == "CREATE_COMPLETE"
    assert [entry for ledger in ledgers(tmp_path, clock_of(settings)) for entry in ledger.open()] == []
    gone(NAME)


async def test_an_account_without_an_active_rule_set(account: Account, tmp_path: Path) -> None:
    ses = boto3.client("ses")
    ses.set_active_receipt_rule_set()
    try:
        said = await kit(*RUN, report_dir=tmp_path)
        assert said.code == 2 and "has no active receipt rule set" in said.text
        assert "the kit never switches the active set" in said.text
        examined = await kit("doctor", report_dir=tmp_path)
        assert examined.code == 1 and "fail  receipt rules" in examined.text
    finally:
        ses.set_active_receipt_rule_set(RuleSetName=RULE_SET)
    assert stacks() == []


async def test_the_active_rule_set_of_somebody_else_is_added_to_and_never_switched(
    account: Account, tmp_path: Path
) -> None:
    began = len(calls(account))
    assert (await kit("deploy", report_dir=tmp_path)).code == 0
    rules = [rule["Name"] for rule in foreign()["rule set"]["Rules"]]
    assert rules[:2] == ["webordinary-it-inbound", "webordinary-it-replies"] and len(rules) == 3
    assert (await kit("destroy", report_dir=tmp_path)).code == 0
    assert {name for name in changed(account, began) if name.startswith("ses.")} == set()


async def test_another_region_than_the_environments(account: Account, tmp_path: Path) -> None:
    elsewhere = {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    examined = await kit("doctor", report_dir=tmp_path, environ=elsewhere)
    assert "warn  region         us-west-2, and the environment says eu-central-1" in examined.text
    began = len(calls(account))
    assert (await kit("deploy", report_dir=tmp_path, environ=elsewhere)).code == 0
    assert (await kit("destroy", report_dir=tmp_path, environ=elsewhere)).code == 0
    assert {each["region"] for each in calls(account)[began:] if each["caller_kind"] == "external"} == {"us-west-2"}


async def test_a_certificate_of_another_region(account: Account, tmp_path: Path) -> None:
    certificate = f"arn:aws:acm:eu-west-1:{account.account}:certificate/1"
    said = await kit(*RUN, "--set", f"live.certificate={certificate}", report_dir=tmp_path)
    assert said.code == 2 and "the certificate is in eu-west-1, and the stack goes to us-west-2" in said.text


@pytest.mark.parametrize(
    "status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "CREATE_IN_PROGRESS", "REVIEW_IN_PROGRESS"]
)
async def test_a_stack_on_which_somebody_is_at_work(account: Account, tmp_path: Path, status: str) -> None:
    """The status is put into the stand-in's answers: it passes too quickly to be met."""
    id = a_stack(NAME, {"Topic": TOPIC}, tags.tags(NAME, "somebodys", clock_of(load({})).now() + 3600))
    began = len(calls(account))
    for attempt in ("start", "destroy"):
        settings = load({"mode": "live", "report_dir": str(tmp_path)})
        backend = LiveBackend(settings, tmp_path, History(clock_of(settings)))

        def at_work(parsed: dict[str, Any], **_: Any) -> None:
            for stack in parsed.get("Stacks", ()):
                stack["StackStatus"] = status

        backend.aws.client("cloudformation").meta.events.register("after-call.*.DescribeStacks", at_work)
        with pytest.raises(UsageError, match=f"stack {NAME} is {status}, by run somebodys"):
            await getattr(backend, attempt)()
    assert changed(account, began) == set()
    gone(id)


async def test_a_stack_that_was_rolled_back(account: Account, tmp_path: Path) -> None:
    twice = {"Type": "AWS::SNS::Subscription", "Properties": {"TopicArn": "nowhere", "Protocol": "sqs"}}
    now = clock_of(load({})).now()
    a_stack(NAME, {"Topic": TOPIC, "Wrong": twice}, tags.tags(NAME, "somebodys", now + 3600))
    said = await kit(*RUN, report_dir=tmp_path)
    assert said.code == 2 and "is there already, left by run somebodys until" in said.text, said.text
    assert "kit destroy" in said.text
    examined = await kit("doctor", report_dir=tmp_path)
    assert "ROLLBACK_COMPLETE" in examined.text and "fail  stack" in examined.text
    kept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert kept.code == 0 and "kept      stack" in kept.text
    assert (await kit("destroy", report_dir=tmp_path)).code == 0


# ---- Survived
async def test_credentials_that_expire_in_the_middle(account: Account, tmp_path: Path) -> None:
    role = f"arn:aws:iam::{account.account}:role/{ROLE}"
    got = boto3.client("sts").assume_role(RoleArn=role, RoleSessionName="short", DurationSeconds=900)["Credentials"]
    short = {
        "AWS_ACCESS_KEY_ID": got["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": got["SecretAccessKey"],
        "AWS_SESSION_TOKEN": got["SessionToken"],
        "AWS_CREDENTIAL_EXPIRATION": got["Expiration"].isoformat(),
    }
    examined = await kit("doctor", report_dir=tmp_path, environ=short)
    assert "warn  credentials" in examined.text
    many = ("readiness", "cold_start", "persistence", "email_to_preview", "mail_thread")  # longer than they last
    said = await kit("run", *many, "--mode", "live", report_dir=tmp_path, environ=short)
    assert said.code == 4, said.text
    assert "AWS refuses these credentials, which may have expired" in said.text and "kit janitor" in said.text
    assert stacks() == [NAME]
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and f"removed   stack {NAME}" in swept.text, swept.text


async def test_a_budget_that_is_spent(account: Account, tmp_path: Path) -> None:
    said = await kit(*RUN, "--set", "live.budget=0.001", report_dir=tmp_path)
    assert said.code != 0 and "budget" in said.text
    assert NOTHING in said.text


async def test_a_permission_that_is_missing_half_way_in_a_deployment(account: Account, tmp_path: Path) -> None:
    end = inject(
        account, kind="error", service="cloudformation", operation="ListStackResources", status=403, code="AccessDenied"
    )
    try:
        said = await kit(*RUN, report_dir=tmp_path)
    finally:
        end()
    assert said.code != 0 and "AccessDenied" in said.text, said.text
    assert f"DELETE_COMPLETE      {NAME}" in said.text


async def test_a_permission_that_is_missing_in_the_clean_up(account: Account, tmp_path: Path) -> None:
    end = inject(
        account, kind="error", service="cloudformation", operation="DeleteStack", status=403, code="AccessDenied"
    )
    try:
        said = await kit(*RUN, report_dir=tmp_path)
        swept = await kit("janitor", "--yes", report_dir=tmp_path)
    finally:
        end()
    assert said.code == 4 and "(clean-up)" in said.text and "AccessDenied" in said.text, said.text
    assert swept.code == 1 and "left      stack" in swept.text and "AccessDenied" in swept.text, swept.text
    again = await kit("janitor", "--yes", report_dir=tmp_path)
    assert again.code == 0, again.text


async def test_an_audit_that_is_not_allowed_to_look_proves_nothing(account: Account, tmp_path: Path) -> None:
    end = inject(account, kind="error", service="sqs", operation="ListQueues", status=403, code="AccessDenied")
    try:
        said = await kit(*RUN, report_dir=tmp_path)
    finally:
        end()
    assert said.code == 4 and "queues could not be read" in said.text, said.text


def template(folder: Path, extra: str) -> list[str]:
    """The kit's template with one resource more, as the settings name it."""
    path = folder / "stack.yaml"
    path.write_text(template_text(None).replace("\nResources:\n", f"\nResources:\n{extra}", 1))
    return ["--set", f"stack.template={path}"]


async def test_a_resource_that_cannot_be_deleted(account: Account, tmp_path: Path) -> None:
    own = template(tmp_path, "  Archive:\n    Type: AWS::S3::Bucket\n    Properties: { BucketName: it-archive }\n")
    assert (await kit("deploy", *own, report_dir=tmp_path)).code == 0
    boto3.client("s3").put_object(Bucket="it-archive", Key="somebody", Body=b"put this here")
    said = await kit("destroy", *own, report_dir=tmp_path)
    assert said.code == 4, said.text
    assert "DELETE_FAILED; the first cause" in said.text and "Archive (AWS::S3::Bucket)" in said.text, said.text
    boto3.client("s3").delete_object(Bucket="it-archive", Key="somebody")
    assert (await kit("destroy", *own, report_dir=tmp_path)).code == 0


async def test_a_resource_that_is_retained(account: Account, tmp_path: Path) -> None:
    queue = "  Archive:\n    Type: AWS::SQS::Queue\n    DeletionPolicy: Retain\n    UpdateReplacePolicy: Retain\n"
    own = template(tmp_path, queue + "    Properties: { QueueName: it-archive }\n")
    said = await kit(*RUN, *own, "--set", "live.clock.allowance=8", report_dir=tmp_path)
    assert said.code == 4, said.text
    assert "found leftovers:\n    AWS::SQS::Queue" in said.text and "it-archive" in said.text
    assert "kit janitor --yes" in said.text
    shown = await kit("janitor", report_dir=tmp_path)
    assert shown.code == 1 and "left      AWS::SQS::Queue" in shown.text and "it-archive" in shown.text
    swept = await kit("janitor", "--yes", report_dir=tmp_path)
    assert swept.code == 0 and "removed   AWS::SQS::Queue" in swept.text, swept.text


async def test_a_ledger_that_cannot_be_written(account: Account, tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file where a folder must be")
    began = len(calls(account))
    said = await kit(*RUN, report_dir=tmp_path)
    assert said.code == 4 and "the ledger cannot be written" in said.text, said.text
    assert changed(account, began) == set()


async def test_a_ledger_that_is_lost(account: Account, tmp_path: Path) -> None:
    """Whoever has not this machine's disk goes by tags, and waits for the expiry."""
    settings = load({"mode": "live", "report_dir": str(tmp_path), "live": {"expires": 240}})
    backend = LiveBackend(settings, tmp_path, History(clock_of(settings)))
    cloud = await backend.start()
    for ledger in ledgers(tmp_path, cloud.clock):
        ledger.path.unlink()
    assert backend.stack is not None and backend.stack.lease is not None
    await backend.stack.lease.release()
    await cloud.clock.sleep(300)
    swept = await kit("janitor", "--yes", report_dir=tmp_path / "other")
    assert swept.code == 0 and "expired since" in swept.text, swept.text
    backend.ledger = None
    await backend.stop()


async def test_a_deployment_that_fails_says_its_first_cause_and_leaves_nothing(
    account: Account, tmp_path: Path
) -> None:
    dynamodb = boto3.client("dynamodb")
    keys: Any = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    dynamodb.create_table(TableName="it-taken", **keys)
    table = json.dumps({"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "it-taken", **keys}})
    try:
        said = await kit(*RUN, *template(tmp_path, f"  Taken: {table}\n"), report_dir=tmp_path)
        assert said.code == 4 and "the first cause" in said.text and "Taken (AWS::DynamoDB::Table)" in said.text
        assert dynamodb.describe_table(TableName="it-taken")["Table"]["TableStatus"] == "ACTIVE"
    finally:
        dynamodb.delete_table(TableName="it-taken")
