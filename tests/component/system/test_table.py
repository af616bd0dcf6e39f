"""Calls to AWS and rows of tables: against the base, and against an AWS that misbehaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.hermes import HermesWorld, hermes_world
from tests.support.letters import ANN
from tests.support.system import REGION, clock, listening, until, url_of
from webordinary_testkit.emulation.system.answers import serve
from webordinary_testkit.emulation.system.aws import Aws
from webordinary_testkit.emulation.system.aws_errors import AwsError, ConditionFailed, Unavailable
from webordinary_testkit.emulation.system.edit.activity import EVERY, Activity
from webordinary_testkit.emulation.system.edit.directory import Directory, Place
from webordinary_testkit.emulation.system.edit.workspace import Workspace
from webordinary_testkit.emulation.system.ids import Ids
from webordinary_testkit.emulation.system.table import Below, Condition, Row, Table

PLACE = Place("TEST_s1", "acme", ANN, "t1")


@pytest.fixture
async def hermes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HermesWorld]:
    async with hermes_world(monkeypatch, start=False) as made:
        yield made


@pytest.fixture
async def table(hermes: HermesWorld) -> AsyncIterator[Table]:
    aws = Aws(hermes.settings.clock, Ids(), region=REGION, threads=2)
    yield Table(aws, "sessions", key="sessionId")
    aws.close()


@asynccontextmanager
async def misbehaving(monkeypatch: pytest.MonkeyPatch, *answers: tuple[int, str]) -> AsyncIterator[list[float]]:
    """An AWS that gives these answers (HTTP status, error code), one a call, and then success."""
    calls: list[float] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(time.monotonic())
        status, code = answers[len(calls) - 1] if len(calls) <= len(answers) else (200, "")
        return web.json_response({"__type": code} if code else {}, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    sock = listening()
    runner = await serve(app, sock, grace=0.1)
    for name, value in {"ENDPOINT_URL": url_of(sock), "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    yield calls
    await runner.cleanup()


async def deleted(aws: Aws) -> None:
    await aws.call("dynamodb", "delete_item", TableName="t", Key={"k": {"S": "v"}})


@pytest.mark.parametrize(
    "answer",
    [(400, "ProvisionedThroughputExceededException"), (400, "ThrottlingException"), (500, "InternalServerError")],
)
async def test_a_call_that_may_succeed_later_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str]
) -> None:
    async with misbehaving(monkeypatch, answer, answer) as calls:
        await deleted(Aws(clock(600), Ids(), region=REGION))
        assert len(calls) == 3


async def test_retries_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async with misbehaving(monkeypatch, *[(400, "ThrottlingException")] * 20) as calls:
        with pytest.raises(Unavailable) as failed:
            await deleted(Aws(clock(600), Ids(), region=REGION))
        assert failed.value.code == "ThrottlingException"
        assert len(calls) == 7


async def test_retries_wait_longer_and_longer_in_aws_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with misbehaving(monkeypatch, *[(400, "ThrottlingException")] * 3) as calls:
        await deleted(Aws(clock(10), Ids(), region=REGION))
    first, second, third = (after - before for before, after in pairwise(calls))
    assert first >= 0.25 / 10 / 2
    assert second >= 0.5 / 10 / 2
    assert third >= 1.0 / 10 / 2


@pytest.mark.parametrize(
    ("code", "kind"), [("ConditionalCheckFailedException", ConditionFailed), ("ResourceNotFoundException", AwsError)]
)
async def test_other_errors_are_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, code: str, kind: type[AwsError]
) -> None:
    async with misbehaving(monkeypatch, (400, code)) as calls:
        with pytest.raises(kind) as failed:
            await deleted(Aws(clock(600), Ids(), region=REGION))
        assert type(failed.value) is kind
        assert len(calls) == 1


async def test_an_aws_out_of_reach_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    sock = listening()
    for name, value in {"ENDPOINT_URL": url_of(sock), "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    sock.close()
    with pytest.raises(Unavailable, match="EndpointConnectionError"):
        await deleted(Aws(clock(600), Ids(), region=REGION))


async def test_wrong_parameters_are_an_error_and_no_traceback_of_botocores(monkeypatch: pytest.MonkeyPatch) -> None:
    async with misbehaving(monkeypatch) as calls:
        with pytest.raises(AwsError, match="ParamValidationError"):
            await Aws(clock(600), Ids(), region=REGION).call("dynamodb", "delete_item", TableName="t")
        assert not calls


async def test_a_row_is_created_once(table: Table) -> None:
    row: Row = {"sessionId": "s", "userId": "u", "count": 7}
    assert await table.create(row)
    assert not await table.create({**row, "count": 8})
    assert await table.query("sessionId", "s") == [row]


async def test_an_update_never_brings_a_row_to_life(table: Table) -> None:
    assert await table.update({"sessionId": "ghost", "userId": "u"}, {"status": "active"}) is None
    assert await table.query("sessionId", "ghost") == []


CONDITIONS: list[tuple[dict[str, Condition], bool]] = [
    ({"status": "active"}, True),
    ({"status": "expired"}, False),
    ({"status": ("x", "active")}, True),
    ({"status": ("x", "y")}, False),
    ({"count": Below(8)}, True),
    ({"count": Below(7)}, False),
    ({"status": "active", "count": Below(7)}, False),
]


async def test_an_update_wants_its_conditions(table: Table) -> None:
    await table.create({"sessionId": "s", "userId": "u", "status": "active", "count": 7})
    for number, (when, holds) in enumerate(CONDITIONS):
        after = await table.update({"sessionId": "s", "userId": "u"}, {"ttl": number}, when=when)
        assert (after is not None) is holds, when
        if after is not None:
            assert after["ttl"] == number


async def test_all_pages_are_read(table: Table) -> None:
    for number in range(30):
        await table.create({"sessionId": f"s{number}", "userId": "u", "clientId": "acme", "pad": "x" * 60_000})
    assert len(await table.query("clientId", "acme", index="ClientIndex")) == 30
    assert len(await table.scan(clientId="acme")) == 30


async def test_looking_at_a_page_keeps_a_session_alive(hermes: HermesWorld, table: Table) -> None:
    await hermes.put_row(lastActivity=5, ttl=6)
    activity = Activity(table, hermes.settings.clock)
    activity.touch(PLACE)
    await activity.finish(within=600)
    (row,) = await hermes.rows()
    now = hermes.settings.clock.now()
    assert int(row["lastActivity"]) == pytest.approx(now * 1000, abs=600_000)
    assert int(row["ttl"]) == pytest.approx(now + 1800, abs=600)


@pytest.mark.parametrize("status", ["expired", "draining"])
async def test_looking_at_a_page_revives_no_session(hermes: HermesWorld, table: Table, status: str) -> None:
    await hermes.put_row(status=status, lastActivity=5)
    activity = Activity(table, hermes.settings.clock)
    activity.touch(PLACE)
    await activity.finish(within=600)
    (row,) = await hermes.rows()
    assert (row["status"], row["lastActivity"]) == (status, "5")


async def test_looking_at_a_page_creates_no_session(hermes: HermesWorld, table: Table) -> None:
    activity = Activity(table, hermes.settings.clock)
    activity.touch(PLACE)
    await activity.finish(within=600)
    assert await hermes.rows() == []


async def test_a_row_is_not_updated_for_every_page(hermes: HermesWorld, table: Table) -> None:
    updates: list[object] = []

    class Counting(Table):
        async def update(self, *arguments: object, **more: object) -> None:
            updates.append(arguments)

    slow = clock(1)
    activity = Activity(Counting(Aws(slow, Ids()), "sessions", key="sessionId"), slow)
    for _ in range(50):
        activity.touch(PLACE)
    await activity.finish(within=600)
    assert len(updates) == 1
    assert EVERY <= 15


async def test_a_session_nobody_indexed_is_found_in_the_table(
    hermes: HermesWorld, table: Table, tmp_path: Path
) -> None:
    await hermes.put_row()
    workspace = Workspace(tmp_path, hermes.settings.clock)
    workspace.set_up()
    directory = Directory(workspace, table, hermes.settings.clock)
    assert await directory.find("TEST_s1") == PLACE
    assert await directory.find("TEST_s2") is None


async def test_an_unknown_session_is_looked_for_again_after_a_while(
    hermes: HermesWorld, table: Table, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path, hermes.settings.clock)
    workspace.set_up()
    directory = Directory(workspace, table, hermes.settings.clock)
    assert await directory.find("TEST_s1") is None
    await hermes.put_row()
    assert await until(lambda: directory.find("TEST_s1")) == PLACE


async def test_an_index_entry_that_leads_elsewhere_is_not_believed(
    hermes: HermesWorld, table: Table, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path, hermes.settings.clock)
    workspace.set_up()
    entry = tmp_path / ".edit/sessions/s9.json"
    for text in ('{"session_id":"s9","client_id":"../..","user_id":"u@x","thread_id":"t"}', "{", "[]", '{"a":1}'):
        await asyncio.to_thread(entry.write_text, text)
        assert await Directory(workspace, table, hermes.settings.clock).find("s9") is None
