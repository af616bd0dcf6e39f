"""Faults by AWS's own means, as on a cloud that takes no orders to fail: on a real service, each one seen, undone, and
undone by somebody else when its run is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
import pytest_asyncio
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.aws import SESSION
from tests.support.ecs import eventually
from tests.support.faults import CLUSTER, MAILS, TABLE, Place, place
from webordinary_testkit.emulation.core.controller import Caller
from webordinary_testkit.emulation.services.dynamodb import OnDemandThroughput
from webordinary_testkit.emulation.services.ec2 import Network
from webordinary_testkit.kit.aws.client import Aws
from webordinary_testkit.kit.aws.undo import FAULT_ENTRY, undo_entry
from webordinary_testkit.kit.backends.capability import FAULTS, Level
from webordinary_testkit.kit.backends.live import tags
from webordinary_testkit.kit.backends.live.guard import Guard
from webordinary_testkit.kit.backends.live.ledger import Header, RunLedger
from webordinary_testkit.kit.core.errors import NotSupported, UsageError
from webordinary_testkit.kit.ecs_exec.client import ExecError
from webordinary_testkit.kit.faults import (
    CutFromAws,
    CutFromLoadBalancer,
    DisruptConnectivity,
    Fault,
    KillProcess,
    MissingImage,
    PauseTask,
    StopTask,
    Throttle,
    processes,
)
from webordinary_testkit.kit.faults.nemesis import Nemesis
from webordinary_testkit.kit.settings import Production
from webordinary_testkit.kit.system.facts import System

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Book:
    """An UndoBook that keeps what a file would hold."""

    lines: list[str] = field(default_factory=list)
    open: dict[int, Any] = field(default_factory=dict)

    def intend(self, kind: str, name: str, **facts: Any) -> Any:
        assert kind == FAULT_ENTRY
        entry = SimpleNamespace(index=len(self.lines), facts=json.loads(json.dumps(facts)))
        self.lines.append(name)
        self.open[entry.index] = entry
        return entry

    def created(self, entry: Any, id: str = "", **facts: Any) -> Any:
        entry.facts.update(json.loads(json.dumps(facts)))
        return entry

    def removed(self, entry: Any) -> Any:
        self.open.pop(entry.index, None)
        return entry


@dataclass
class Live:
    """The place without its fault API."""

    place: Place
    book: Book

    def __post_init__(self) -> None:
        self.context = replace(self.place.context, fault_api=None, undo_book=self.book)
        self.nemesis = Nemesis(self.context, self.place.history, dict.fromkeys(FAULTS, Level.NATIVE))

    async def write_as_task(self, task: str, size: int = 1) -> str:
        """What comes of a task's PutItem."""
        keys = self.place.cloud.keys.issue(Caller("task", task))
        client = SESSION.client(
            "dynamodb",
            endpoint_url=self.place.cloud.gateway.url,
            region_name="us-west-2",
            aws_access_key_id=keys.access_key_id,
            aws_secret_access_key=keys.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}),
        )
        item = {"id": {"S": "x"}, "text": {"S": "x" * size}}
        try:
            await asyncio.to_thread(client.put_item, TableName=TABLE, Item=item)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "ok"

    async def after_a_flood(self, task: str) -> str:
        """What a task's write meets after one of 300 KB, which takes five minutes' worth of one unit a second."""
        await self.write_as_task(task, 300_000)
        return await self.write_as_task(task)

    async def states(self) -> set[str]:
        group = self.context.system.target_group_arn("edit")
        answer = await self.place.aws.call("elbv2", "describe_target_health", TargetGroupArn=group)
        return {each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]}

    async def undo_as_somebody_else(self) -> None:
        for entry in reversed(list(self.book.open.values())):
            await undo_entry(self.place.aws, self.context.clock, entry.facts)
            self.book.removed(entry)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def a_place() -> AsyncIterator[Place]:
    async with place() as made:
        await made.aws.call(
            "elbv2",
            "modify_target_group",
            TargetGroupArn=made.context.system.target_group_arn("edit"),
            HealthCheckIntervalSeconds=20,
            HealthCheckTimeoutSeconds=15,
            UnhealthyThresholdCount=2,
        )
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def live(a_place: Place) -> Live:
    await a_place.task()
    return Live(a_place, Book())


async def test_throttles_dynamodb_by_its_tables_maximum_and_cloudwatch_tells(live: Live) -> None:
    task = await live.place.task()
    before = await live.after_a_flood(task)
    async with live.nemesis.fault(Throttle("dynamodb", "PutItem")) as effect:
        during = await live.after_a_flood(task)
        noted = len(live.book.open)

    assert (before, during) == ("ok", "ProvisionedThroughputExceededException")
    assert effect.verified, effect.seen
    assert "calls throttled, according to CloudWatch" in effect.seen
    assert (noted, live.book.open) == (1, {})
    assert await live.after_a_flood(task) == "ok"


async def test_a_throttle_that_nobody_met_is_not_verified(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await live.place.task()

    async def nothing(*_: Any) -> None:
        return None

    on_demand = next(each for each in live.place.cloud.wiring.controllers if isinstance(each, OnDemandThroughput))
    interceptors = live.place.cloud.dispatch.interceptors
    monkeypatch.setattr(live.place.cloud.dispatch, "interceptors", [nothing for _ in interceptors])
    async with live.nemesis.fault(Throttle("dynamodb", "PutItem"), wait=False) as effect:
        assert await live.after_a_flood(task) == "ok"
        seen = await effect._effect.verify()  # type: ignore[union-attr]  # injected by now
        monkeypatch.undo()
        effect.verified = True  # nothing is to be waited for

    assert not seen.effective
    assert on_demand._throttled.total() == 0


async def test_pauses_a_task_from_inside_until_it_is_undone(live: Live) -> None:
    task = await live.place.task()
    before = await live.place.ask(task)
    async with live.nemesis.fault(PauseTask(task)) as effect:
        during = await live.place.ask(task)

    assert (before, during, await live.place.ask(task)) == ("answers", "silent", "answers")
    assert effect.verified, effect.seen


async def test_a_paused_task_goes_on_by_itself_when_nobody_says_so(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webordinary_testkit.kit.faults.pause_task.DEADLINE", 60.0)  # a second here
    task = await live.place.task()
    await PauseTask(task).inject(live.context)
    during = await live.place.ask(task)

    async def answers() -> bool:
        return await live.place.ask(task) == "answers"

    assert during == "silent"
    assert await eventually(answers, within=10)


async def test_a_pause_that_stops_nothing_is_not_verified(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "pause", lambda _: 'echo "paused $$"')
    task = await live.place.task()
    effect = await PauseTask(task).inject(live.context)

    assert not (await effect.verify()).effective
    assert await live.place.ask(task) == "answers"


async def test_leaves_a_target_out_of_the_load_balancers_reach(live: Live) -> None:
    task = await live.place.task()
    async with live.nemesis.fault(CutFromLoadBalancer(task)) as effect:
        noted = len(live.book.open)

    assert effect.verified, effect.seen
    assert (noted, live.book.open) == (1, {})
    await live.place.task()
    assert await live.place.get() == "200"


async def test_a_cut_without_effect_is_not_verified(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "_apply", lambda _: None)
    effect = await CutFromLoadBalancer(await live.place.task()).inject(live.context)
    seen = await effect.verify()
    monkeypatch.undo()
    await effect.undo()

    assert not seen.effective, seen.what


async def test_cuts_a_task_off_from_aws_by_its_own_agent_for_as_long_as_it_says(live: Live) -> None:
    task = await live.place.task()
    before = await live.place.call_as_task(task)
    async with live.nemesis.fault(CutFromAws(task, lasts=120.0)) as effect:
        await effect.until_seen()
        during = await live.place.call_as_task(task, 0.3)

    assert (before, during, await live.place.call_as_task(task)) == ("ok", "silent", "ok")
    assert effect.verified, effect.seen
    assert (await live.context.run(task, "edit", "echo back")).output.strip() == "back"


async def test_cuts_a_subnet_off_from_dynamodb_by_an_experiment_and_leaves_no_template(live: Live) -> None:
    task = await live.place.task()
    before = await live.place.call_as_task(task)
    async with live.nemesis.fault(DisruptConnectivity(task, seconds=600)) as effect:
        during = await live.place.call_as_task(task, 0.3)
        noted = len(live.book.open)

    assert (before, during, await live.place.call_as_task(task)) == ("ok", "silent", "ok")
    assert effect.verified, effect.seen
    assert (noted, live.book.open) == (3, {})
    assert (await live.place.aws.call("fis", "list_experiment_templates"))["experimentTemplates"] == []


async def test_a_disruption_is_seen_from_inside_and_not_by_its_experiment_running(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = await live.place.task()
    monkeypatch.setattr(Network, "disrupt", lambda *_: lambda: None)
    effect = await DisruptConnectivity(task, seconds=600).inject(live.context)
    nothing = await effect.verify()
    monkeypatch.undo()
    await effect.undo()
    effect = await DisruptConnectivity(task, seconds=600).inject(live.context)
    cut = await effect.verify()
    await effect.undo()

    assert not nothing.effective
    assert "dynamodb from inside, which answered before: still answers; experiment EXP" in nothing.what
    assert "action running" in nothing.what
    assert cut.effective, cut.what
    assert "dynamodb from inside, which answered before: silent" in cut.what
    assert not (await effect.verify()).effective


async def test_a_disruption_of_everything_is_seen_by_what_does_not_get_in_any_more(live: Live) -> None:
    effect = await DisruptConnectivity(await live.place.task(), scope="all", seconds=600).inject(live.context)
    seen = await effect.verify()
    await effect.undo()

    async def refused(*_: object) -> NoReturn:
        raise ExecError("no agent answers")

    assert seen.effective, seen.what
    lone = replace(effect, context=replace(live.context, run=refused))
    assert (await lone.verify()).effective
    assert not (await replace(lone, all_of_it=False).verify()).effective, "else it may be the agent's own trouble"


async def test_an_experiment_that_a_killed_run_left_is_stopped_and_its_template_deleted(live: Live) -> None:
    task = await live.place.task()
    await DisruptConnectivity(task, seconds=3600).inject(live.context)
    during = await live.place.call_as_task(task, 0.3)
    await live.undo_as_somebody_else()

    async def is_reached() -> bool:
        return await live.place.call_as_task(task, 0.3) == "ok"

    assert during == "silent"
    assert await eventually(is_reached, within=10)
    assert (await live.place.aws.call("fis", "list_experiment_templates"))["experimentTemplates"] == []


async def test_stops_a_task_by_an_experiment(live: Live) -> None:
    task = await live.place.task()
    async with live.nemesis.fault(StopTask(task, by="fis")) as effect:
        pass

    assert effect.verified, effect.seen
    assert "Fault Injection" in effect.seen
    await live.place.task()


async def test_a_stack_without_a_role_has_no_experiments(live: Live) -> None:
    whole = live.context.system.stack
    stack = replace(whole, outputs={**whole.outputs, "FaultRoleArn": ""})
    context = replace(live.context, system=System(stack))
    with pytest.raises(NotSupported, match="has no role for experiments"):
        await DisruptConnectivity(await live.place.task()).inject(context)

    assert not live.book.lines


async def egress(live: Live) -> list[Any]:
    groups = (await live.place.aws.call("ec2", "describe_security_groups"))["SecurityGroups"]
    return sorted(
        (
            each["GroupId"],
            rule["IpProtocol"],
            rule.get("FromPort"),
            rule.get("ToPort"),
            tuple(sorted(entry["CidrIp"] for entry in rule["IpRanges"])),
        )
        for each in groups
        for rule in each["IpPermissionsEgress"]
        if rule["IpRanges"]
    )


@pytest.mark.parametrize(
    "make", [lambda _: Throttle("dynamodb"), CutFromLoadBalancer], ids=["Throttle", "CutFromLoadBalancer"]
)
async def test_what_a_killed_run_left_is_taken_back_from_its_book(live: Live, make: Callable[[str], Fault]) -> None:
    task = await live.place.task()
    before = await egress(live)
    await make(task).inject(live.context)  # and nobody is there to undo it
    during = await egress(live), await maximum(live)
    await live.undo_as_somebody_else()
    await live.undo_as_somebody_else()
    await live.place.task()

    assert during != (before, -1)
    assert (await egress(live), await maximum(live)) == (before, -1)
    assert await live.after_a_flood(await live.place.task()) == "ok"
    assert await live.place.get() == "200"


async def maximum(live: Live) -> int:
    table = (await live.place.aws.call("dynamodb", "describe_table", TableName=TABLE))["Table"]
    return int(table.get("OnDemandThroughput", {}).get("MaxWriteRequestUnits", -1))


async def test_an_injection_that_fails_halfway_is_taken_back(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await egress(live)
    call = live.context.aws.call

    async def broken(service: str, operation: str, /, **params: Any) -> Mapping[str, Any]:
        if operation == "revoke_security_group_egress" and "0.0.0.0/0" in json.dumps(params):
            raise RuntimeError("the network is gone")
        return await call(service, operation, **params)

    monkeypatch.setattr(live.context.aws, "call", broken)
    with pytest.raises(RuntimeError):
        await CutFromLoadBalancer(await live.place.task()).inject(live.context)
    monkeypatch.undo()

    assert await egress(live) == before
    assert not live.book.open


@pytest.mark.parametrize("make", [KillProcess, StopTask])
async def test_what_goes_the_same_way_everywhere_needs_no_door(live: Live, make: Callable[[str], Fault]) -> None:
    task = await live.place.task()
    async with live.nemesis.fault(make(task)) as effect:
        pass

    assert effect.verified, effect.seen


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        (Throttle("sqs"), "AWS cannot be made to throttle sqs"),
        (Throttle("dynamodb", "DescribeTable"), "AWS cannot be made to throttle dynamodb.DescribeTable"),
    ],
)
async def test_what_aws_cannot_do_is_said_before_anything_happens(live: Live, fault: Fault, complaint: str) -> None:
    with pytest.raises(NotSupported, match=complaint):
        await fault.inject(live.context)

    assert not live.book.lines


async def test_a_security_group_refuses_no_connection(live: Live) -> None:
    with pytest.raises(NotSupported, match="a security group refuses no connection"):
        await CutFromLoadBalancer(await live.place.task(), how="refuse").inject(live.context)


async def test_an_unknown_task_is_refused(live: Live) -> None:
    nobody = "arn:aws:ecs:us-west-2:123456789012:task/cluster/00000000000000000000000000000000"
    with pytest.raises(UsageError, match="there is no task"):
        await PauseTask(nobody).inject(live.context)


async def test_the_guard_of_a_live_run_lets_them_happen_and_the_ledger_ends_empty(live: Live, tmp_path: Path) -> None:
    """With a real ledger, and a guard that knows the stack's resources and nothing else."""
    place, stack = live.place, live.context.system.stack
    clock = live.context.clock
    ledger = RunLedger.of_run(
        tmp_path, Header("run-1", "123456789012", "us-west-2", stack.name, clock.now() + 3600), clock
    )
    guard = Guard("123456789012", stack.name, Production())
    guard.verify_account(await place.aws.call("sts", "get_caller_identity"))
    guard.adopt(None)
    guard.trust(ledger.holds)
    groups = (await place.aws.call("ec2", "describe_security_groups"))["SecurityGroups"]
    guard.own(CLUSTER, TABLE, MAILS, *(each["GroupId"] for each in groups))
    aws = Aws(place.aws.access, place.aws.threads, place.history, gate=guard)
    context = replace(live.context, aws=aws, undo_book=ledger, tags=tags.tags(stack.name, "run-1", clock.now() + 3600))
    nemesis = Nemesis(context, place.history, dict.fromkeys(FAULTS, Level.NATIVE))
    task = await place.task()
    for fault in (Throttle("dynamodb"), DisruptConnectivity(task), StopTask(task, by="fis")):
        async with nemesis.fault(fault, wait=False) as effect:
            effect.verified = True  # that it shows is tested above
            assert ledger.open()
        assert not ledger.open(), fault
    definition = (await place.aws.call("ecs", "list_task_definitions"))["taskDefinitionArns"][0]
    guard.own(f"arn:aws:ecs:us-west-2:123456789012:service/{CLUSTER}/{context.system.service_name('edit')}", definition)
    async with nemesis.fault(MissingImage("edit"), wait=False) as effect:
        effect.verified = True
        assert ledger.open()
    assert not ledger.open()
    async with nemesis.fault(CutFromLoadBalancer(await place.task()), wait=False) as effect:
        effect.verified = True
        assert ledger.open()
    assert not ledger.open()
    await place.task()
