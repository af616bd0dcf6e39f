"""The live backend on a stand-in for AWS: it keeps the contract of backends, and leaves other people's things alone.

Needs no account; `nox -s rehearsal` runs it, after the scenarios.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest

from tests.support.account import calls
from tests.support.backend_conformance import BackendConformance
from tests.support.kit import some_settings
from webordinary_testkit.kit.backends.emulated.rehearsal import (
    FOREIGN_CLUSTER,
    FOREIGN_QUEUE,
    FOREIGN_RULE,
    FOREIGN_SERVICE,
    FOREIGN_STACK,
    ROLE,
    RULE_SET,
    Account,
    Rehearsal,
    aimed,
)
from webordinary_testkit.kit.backends.interface import Backend
from webordinary_testkit.kit.backends.live import tags
from webordinary_testkit.kit.backends.live.account import clock_of
from webordinary_testkit.kit.backends.live.backend import LiveBackend
from webordinary_testkit.kit.backends.live.guard import Refused
from webordinary_testkit.kit.backends.live.lease import lease_holder
from webordinary_testkit.kit.backends.live.ledger import CREATED, INTENDED, STACK, Entry, ledgers
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.core.eventually import eventually
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.settings import load

NAME = "webordinary-integration-test"


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    rehearsal = Rehearsal(some_settings(emulated={"scale": 60}), tmp_path_factory.mktemp("stand-in"))
    account = asyncio.run(rehearsal.start())
    with aimed(account):
        yield rehearsal
    rehearsal.stop()


@pytest.fixture
def account(stand_in: Rehearsal) -> Account:
    assert stand_in.account is not None
    return stand_in.account


def a_backend(folder: Path, said: list[str] | None = None, **overrides: Any) -> LiveBackend:
    overrides.setdefault("report_dir", str(folder))
    settings = load({"mode": "live", **overrides})
    return LiveBackend(settings, folder, History(clock_of(settings)), tell=None if said is None else said.append)


def foreign() -> dict[str, Any]:
    """Everything that is somebody else's, as it is now."""
    rules = boto3.client("ses").describe_active_receipt_rule_set()
    service = boto3.client("ecs").describe_services(cluster=FOREIGN_CLUSTER, services=[FOREIGN_SERVICE])
    return {
        "active rule set": rules["Metadata"]["Name"],
        "rules": [rule["Name"] for rule in rules["Rules"]],
        "queues": boto3.client("sqs").list_queues(QueueNamePrefix=FOREIGN_QUEUE)["QueueUrls"],
        "stack": boto3.client("cloudformation").describe_stacks(StackName=FOREIGN_STACK)["Stacks"][0]["StackStatus"],
        "service": [each["status"] for each in service["services"]],
    }


def stacks() -> list[str]:
    found = boto3.client("cloudformation").describe_stacks()["Stacks"]
    return [stack["StackName"] for stack in found if stack["StackName"] != FOREIGN_STACK]


@pytest.fixture(autouse=True)
def untouched(stand_in: Rehearsal) -> Iterator[None]:
    """Whatever a test does, what is somebody else's stays as it was."""
    yield
    found = foreign()
    assert len(found.pop("queues")) == 1
    assert FOREIGN_RULE in found.pop("rules")
    assert found == {"active rule set": RULE_SET, "stack": "CREATE_COMPLETE", "service": ["ACTIVE"]}


class TestLive(BackendConformance):
    """Each backend with a stack of its own: they are in one account, and some are there at the same time."""

    names: ClassVar[dict[Path, list[str]]] = {}

    @classmethod
    def make(cls, folder: Path, **settings: Any) -> Backend:
        number = sum(map(len, cls.names.values()))
        name = f"conformance-{number}"
        cls.names.setdefault(folder, []).append(name)
        told = settings.pop("stack", {})
        parameters = {"ResourcePrefix": f"it-{number}", **told.get("parameters", {})}
        return a_backend(folder, stack={**told, "name": name, "parameters": parameters}, **settings)

    @classmethod
    def leftovers(cls, folder: Path) -> list[str]:
        open_ones = [str(entry) for ledger in ledgers(folder, clock_of(load({}))) for entry in ledger.open()]
        return [*(name for name in stacks() if name in cls.names.get(folder, ())), *open_ones]


@asynccontextmanager
async def deployed(folder: Path, **overrides: Any) -> AsyncIterator[LiveBackend]:
    """A stack that somebody deployed and that stays, and its end."""
    maker = a_backend(folder, **{**overrides, "live": {"reuse": True, **overrides.get("live", {})}})
    await maker.start()
    await maker.stop(keep=True)
    try:
        yield maker
    finally:
        assert await a_backend(folder, **overrides).destroy()
        assert stacks() == []


async def test_every_resource_stands_in_the_ledger_before_it_is_created(tmp_path: Path, account: Account) -> None:
    began = len(calls(account))
    backend = a_backend(tmp_path)
    await backend.start()
    assert backend.ledger is not None
    template = boto3.client("cloudformation").list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    noted = {(entry.kind, entry.name): entry.id for entry in backend.ledger.open()}
    assert {(each["ResourceType"], each["LogicalResourceId"]) for each in template} <= set(noted)
    assert all(noted.values())
    await backend.stop()
    assert backend.ledger.open() == []
    mine = [call for call in calls(account)[began:] if call["caller_kind"] == "external"]
    assert "ses.SetActiveReceiptRuleSet" not in {f"{call['service']}.{call['operation']}" for call in mine}


async def test_the_stack_and_its_resources_carry_run_and_expiry(tmp_path: Path) -> None:
    async with deployed(tmp_path) as maker:
        stack = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
        found = tags.from_list(stack["Tags"])
        assert found[tags.MARKER] == NAME and found[tags.RUN] == maker.run and found[tags.EXPIRES]
        queue = boto3.client("sqs").get_queue_url(QueueName="webordinary-it-inbound")["QueueUrl"]
        assert boto3.client("sqs").list_queue_tags(QueueUrl=queue)["Tags"][tags.RUN] == maker.run


async def test_progress_is_told_from_the_stacks_events(tmp_path: Path) -> None:
    said: list[str] = []
    backend = a_backend(tmp_path, said)
    await backend.start()
    assert any(line.startswith("CREATE_COMPLETE") and "LoadBalancer" in line for line in said)
    await backend.stop()
    assert any(line.startswith("DELETE_COMPLETE") and "LoadBalancer" in line for line in said)


async def test_a_stack_that_is_there_is_reused_and_stays(tmp_path: Path) -> None:
    async with deployed(tmp_path):
        before = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["StackId"]
        again = a_backend(tmp_path, live={"reuse": True})
        await again.start()
        await again.stop()
        assert boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["StackId"] == before


async def test_a_stack_that_is_there_survives_an_update_that_fails(tmp_path: Path) -> None:
    async with deployed(tmp_path):
        before = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["StackId"]
        wrong = a_backend(tmp_path, live={"reuse": True}, stack={"parameters": {"IdleSeconds": "5"}})
        with pytest.raises(UsageError, match="CloudFormation refuses"):
            await wrong.start()
        assert boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]["StackId"] == before
        again = a_backend(tmp_path, live={"reuse": True})
        await again.start()
        await again.stop()
        assert stacks() == [NAME]


async def test_a_stack_that_somebody_left_on_purpose_is_not_deleted_by_a_run(tmp_path: Path) -> None:
    async with deployed(tmp_path):
        with pytest.raises(UsageError, match="is there already, left by run"):
            await a_backend(tmp_path).start()
        assert stacks() == [NAME]


async def test_a_failed_run_keeps_its_stack_when_it_is_told_to(tmp_path: Path) -> None:
    backend = a_backend(tmp_path)
    await backend.start()
    await backend.stop(keep=True)
    assert stacks() == [NAME]
    assert await a_backend(tmp_path).destroy()


async def test_destroying_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    assert await a_backend(tmp_path).destroy() is False


async def test_one_run_at_a_time_uses_a_stack(tmp_path: Path) -> None:
    async with deployed(tmp_path):
        first = a_backend(tmp_path, live={"reuse": True})
        await first.start()
        with pytest.raises(UsageError, match=f"in use by run {first.run}"):
            await a_backend(tmp_path / "elsewhere", live={"reuse": True}).start()
        with pytest.raises(UsageError, match=f"in use by run {first.run}"):
            await a_backend(tmp_path / "elsewhere").destroy()
        assert await first.health() is None
        await first.stop()
        stack = boto3.client("cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
        assert await lease_holder(a_backend(tmp_path).aws, stack) is None


async def test_a_run_whose_lease_was_taken_over_deletes_nothing(tmp_path: Path) -> None:
    first = a_backend(tmp_path)
    cloud = await first.start()
    boto3.client("dynamodb").update_item(
        TableName="webordinary-it-lease",
        Key={"stack": {"S": cloud.stack.name}},
        UpdateExpression="SET #run = :run",
        ExpressionAttributeNames={"#run": "run"},
        ExpressionAttributeValues={":run": {"S": "another"}},
    )
    await cloud.clock.sleep(180)
    assert "another run has taken" in (await first.health() or "")
    with pytest.raises(InfraError, match="nothing was deleted"):
        await first.stop()
    assert stacks() == [NAME]
    boto3.client("cloudformation").delete_stack(StackName=NAME)
    boto3.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1})


# ---- What is dangerous, in a whole run
async def test_the_wrong_account_is_refused_before_anything_is_created(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="belong to account 123456789012, and the settings expect 210987654321"):
        await a_backend(tmp_path, account="210987654321").start()
    assert stacks() == [] and not (tmp_path / "ledger").exists()


async def test_somebody_elses_stack_is_neither_deployed_to_nor_destroyed(tmp_path: Path) -> None:
    for attempt in ("start", "destroy"):
        with pytest.raises(Refused, match=f"stack {FOREIGN_STACK} is not the kit's"):
            await getattr(a_backend(tmp_path, stack={"name": FOREIGN_STACK}), attempt)()
    assert not (tmp_path / "ledger").exists()


async def test_names_of_production_are_refused_before_anybody_is_asked(tmp_path: Path, account: Account) -> None:
    began = len(calls(account))
    with pytest.raises(Refused, match="webordinary-edit-cluster is a name of the production system"):
        parameters = {**account.images, "ResourcePrefix": "webordinary"}
        await a_backend(tmp_path, profile="webordinary", stack={"parameters": parameters}).start()
    assert calls(account)[began:] == []


async def test_an_unverified_mail_domain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="SES has not verified other"):
        await a_backend(tmp_path, live={"mail_domain": "other.example"}).start()


async def test_an_image_that_is_not_in_ecr_is_refused(tmp_path: Path) -> None:
    image = "123456789012.dkr.ecr.us-west-2.amazonaws.com/webordinary/edit:nowhere"
    with pytest.raises(UsageError, match="is not in ECR"):
        await a_backend(tmp_path, stack={"parameters": {"EditImage": image}}).start()
    assert stacks() == []


async def test_without_a_mail_domain_there_is_no_mail_and_no_rule(tmp_path: Path) -> None:
    backend = a_backend(tmp_path, live={"mail_domain": ""})
    assert backend.capabilities()["mail_in"] == "absent"
    await backend.start()
    assert foreign()["rules"] == [FOREIGN_RULE]
    await backend.stop()


async def test_the_stacks_rules_are_added_to_the_active_set_and_taken_out_again(tmp_path: Path) -> None:
    async with deployed(tmp_path):
        assert foreign()["active rule set"] == RULE_SET
        assert set(foreign()["rules"]) == {"webordinary-it-inbound", "webordinary-it-replies", FOREIGN_RULE}


async def test_a_role_is_assumed_and_one_that_cannot_be_is_told(tmp_path: Path) -> None:
    role = f"arn:aws:iam::123456789012:role/{ROLE}"
    assert await a_backend(tmp_path, live={"role": role}).destroy() is False
    with pytest.raises(InfraError, match="the role cannot be assumed"):
        await a_backend(tmp_path, live={"role": role + "-of-nobody"}).start()


async def test_the_runs_own_clients_cannot_reach_beyond_its_stack(tmp_path: Path) -> None:
    backend = a_backend(tmp_path)
    cloud = await backend.start()
    try:
        foreign_queue = foreign()["queues"][0]
        with pytest.raises(Refused):
            await cloud.aws.call("sqs", "receive_message", QueueUrl=foreign_queue)
        with pytest.raises(Refused):  # by a client that no `call` goes through
            cloud.aws.client("ecs").update_service(cluster=FOREIGN_CLUSTER, service=FOREIGN_SERVICE, desiredCount=0)
        with pytest.raises(Refused):
            cloud.aws.client("ses").set_active_receipt_rule_set()
    finally:
        await backend.stop()


async def test_credentials_that_expire_on_the_way_are_told_and_nothing_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import ClientError

    backend = a_backend(tmp_path)
    await backend.start()
    client = backend.aws.client("cloudformation")
    expired = ClientError({"Error": {"Code": "ExpiredToken", "Message": "The security token is expired"}}, "X")

    def refuse(**_: Any) -> None:
        raise expired

    monkeypatch.setattr(client, "describe_stacks", refuse)
    with pytest.raises(InfraError, match=r"(?s)refuses these credentials.*ledger"):
        await backend.stop()
    assert backend.ledger is not None and backend.ledger.open()
    assert await a_backend(tmp_path / "again").destroy()


# ---- Killed on the way
@pytest.mark.parametrize("state", [INTENDED, CREATED])
async def test_the_next_run_collects_what_a_killed_one_left(tmp_path: Path, account: Account, state: str) -> None:
    killed = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webordinary_testkit.kit", "run", "readiness", "--set", f"report_dir={tmp_path}"),
        env={**os.environ, **account.environment()},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    clock = clock_of(load({}))

    async def noted() -> list[Entry]:
        return [
            entry
            for ledger in ledgers(tmp_path, clock)
            for entry in ledger.open()
            if entry.state == state and (entry.kind == STACK) == (state == CREATED)
        ]

    await eventually(noted, within=1800, clock=clock, describe=f"a resource to be {state}")
    killed.kill()
    await killed.wait()
    said: list[str] = []
    backend = a_backend(tmp_path, said)
    await backend.start()
    assert any("was left by run" in line for line in said)
    await backend.stop()
    assert stacks() == []
    assert [entry for ledger in ledgers(tmp_path, clock) for entry in ledger.open()] == []
