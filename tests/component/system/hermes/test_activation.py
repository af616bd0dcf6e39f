"""Hermes by HTTP: sessions opened, resumed, kept, ended; retried by clients, refused by AWS, killed half-way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.hermes import HermesWorld, hermes_world
from tests.support.hermes_neighbours import done
from tests.support.letters import ANN
from tests.support.system import REGION, until
from webordinary_testkit.emulation.system.aws import Aws
from webordinary_testkit.emulation.system.hermes import edit_service
from webordinary_testkit.emulation.system.hermes.inbox import Accepted, Inbox
from webordinary_testkit.emulation.system.hermes.opening import Opening
from webordinary_testkit.emulation.system.hermes.secret import Secret
from webordinary_testkit.emulation.system.hermes.sessions import Sessions
from webordinary_testkit.emulation.system.ids import Ids
from webordinary_testkit.emulation.system.table import Table

ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = re.compile(r"TEST_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
async def hermes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HermesWorld]:
    async with hermes_world(monkeypatch) as made:
        yield made


@pytest.fixture
async def resting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HermesWorld]:
    """Everything but Hermes itself."""
    async with hermes_world(monkeypatch, start=False) as made:
        yield made


async def active(hermes: HermesWorld, session_id: str) -> None:
    await until(lambda: hermes.status(session_id), lambda status: status == "active")


async def test_it_says_what_and_how_it_is(hermes: HermesWorld) -> None:
    status, answer = await hermes.get("/hermes/health")
    assert (status, answer["status"]) == (200, "healthy")
    assert ISO.fullmatch(answer["timestamp"])
    assert (await hermes.get("/hermes"))[0] == 200


async def test_an_activation_is_answered_at_once_and_carried_out(hermes: HermesWorld) -> None:
    hermes.edit.gate.clear()
    answer = await hermes.activate("create page A")
    assert set(answer) == {"sessionId", "previewUrl", "status"}
    assert answer["status"] == "initializing"
    assert UUID.fullmatch(answer["sessionId"])
    assert answer["previewUrl"] == f"{hermes.settings.alb_url}/session/{answer['sessionId']}"
    hermes.edit.gate.set()
    await active(hermes, answer["sessionId"])
    (work,) = hermes.edit.works
    assert (work["clientId"], work["userId"], work["instruction"]) == ("acme", ANN, "create page A")


async def test_the_row_has_three_time_formats_and_what_edit_told(hermes: HermesWorld) -> None:
    answer = await hermes.activate("create page A")
    await active(hermes, answer["sessionId"])
    (row,) = await hermes.rows()
    now = hermes.settings.clock.now()
    assert set(row) == {
        *("sessionId", "userId", "clientId", "threadId", "status", "lastActivity", "createdAt", "ttl"),
        *("editBranch", "fargateTaskArn", "containerIp", "previewUrl"),
    }
    assert int(row["lastActivity"]) == pytest.approx(now * 1000, abs=900_000)
    assert ISO.fullmatch(row["createdAt"])
    assert int(row["ttl"]) == pytest.approx(now + 1800, abs=900)
    assert row["editBranch"] == f"thread-{row['threadId']}"
    assert row["fargateTaskArn"].endswith("task/c/1")
    assert row["containerIp"] == "10.0.0.7"


async def test_a_task_that_does_not_know_itself_is_found_through_ecs(hermes: HermesWorld) -> None:
    hermes.edit.answer = lambda work: (200, {**done(work), "taskArn": ""})
    answer = await hermes.activate("create page A")
    await active(hermes, answer["sessionId"])
    assert (await hermes.rows())[0]["fargateTaskArn"].endswith("task/c/only")


async def test_edit_is_brought_up_from_zero_and_never_scaled_down(hermes: HermesWorld) -> None:
    hermes.edit.up = False
    answer = await hermes.activate("create page A")
    await active(hermes, answer["sessionId"])
    assert hermes.ecs.updates == [1]
    hermes.ecs.desired = 3
    hermes.edit.up = False
    await hermes.activate("create page B", user="bob@x.y")
    await asyncio.sleep(0.1)
    hermes.edit.up = True
    await until(lambda: len(hermes.edit.works) == 2)
    assert hermes.ecs.desired == 3


async def test_a_session_is_active_only_when_its_own_page_is_served(hermes: HermesWorld) -> None:
    hermes.edit.ready = False
    answer = await hermes.activate("create page A")
    await until(lambda: hermes.edit.works)
    began = hermes.settings.clock.now()
    await until(lambda: hermes.settings.clock.now() - began > 15)
    assert await hermes.status(answer["sessionId"]) == "initializing"
    hermes.edit.ready = True
    await active(hermes, answer["sessionId"])


async def test_a_client_that_retries_gets_the_same_session_and_one_work(hermes: HermesWorld) -> None:
    hermes.edit.gate.clear()
    answers = await asyncio.gather(*(hermes.activate("create page A") for _ in range(5)))
    answers.append(await hermes.activate("create page A"))
    hermes.edit.gate.set()
    assert len({answer["sessionId"] for answer in answers}) == 1
    await active(hermes, answers[0]["sessionId"])
    assert (await hermes.activate("create page A"))["status"] == "active"
    assert len(hermes.edit.works) == 1
    assert len(await hermes.rows()) == 1


async def test_another_instruction_goes_to_the_open_session(hermes: HermesWorld) -> None:
    first = await hermes.activate("create page A")
    second = await hermes.activate("create page B")
    assert first["sessionId"] == second["sessionId"]
    # By its id: a call whose answer was late is made again, and edit does no work twice.
    await until(lambda: len({work["workId"] for work in hermes.edit.works}) == 2)
    await active(hermes, first["sessionId"])
    assert list({work["workId"]: work["instruction"] for work in hermes.edit.works}.values()) == [
        "create page A",
        "create page B",
    ]


async def test_users_clients_and_threads_have_their_own_sessions(hermes: HermesWorld) -> None:
    answers = [
        await hermes.activate("create page A"),
        await hermes.activate("create page A", user="bob@x.y"),
        await hermes.activate("create page A", client="other"),
        await hermes.activate("create page A", threadId="t9"),
        await hermes.activate("create page A", threadId="thread-t9"),
    ]
    assert len({answer["sessionId"] for answer in answers}) == 4
    assert answers[3]["sessionId"] == answers[4]["sessionId"]


async def test_a_user_goes_on_in_the_same_thread_after_a_session_has_ended(hermes: HermesWorld) -> None:
    await hermes.put_row(status="expired", threadId="before")
    answer = await hermes.activate("create page A")
    assert answer["sessionId"] != "TEST_s1"
    await active(hermes, answer["sessionId"])
    assert hermes.edit.works[0]["threadId"] == "before"


async def test_a_session_whose_page_comes_late_is_idle_from_the_end_of_its_job(hermes: HermesWorld) -> None:
    hermes.edit.ready = False
    ready_by = hermes.settings.clock.now() + edit_service.READY_WITHIN
    answer = await hermes.activate("create page A")
    await until(hermes.rows, lambda rows: int(rows[0]["lastActivity"]) > ready_by * 1000)
    assert await hermes.status(answer["sessionId"]) == "initializing"


async def test_two_that_open_the_same_session_at_once_open_one(resting: HermesWorld) -> None:
    """Two Hermes, as in a rolling deployment, each with a view of the index that is behind."""

    class Behind(Sessions):
        async def of_client(self, client_id: str) -> list[Any]:
            return []

    aws = Aws(resting.settings.clock, Ids(), region=REGION)
    table = Table(aws, "sessions", key="sessionId")
    mails = Table(aws, "mails", key="messageId")
    openings = [
        Opening(Behind(table, resting.settings.clock, "http://alb"), Secret(mails, Ids()), "TEST_") for _ in range(2)
    ]
    opened = await asyncio.gather(*(opening.open_or_resume("acme", ANN, "t") for opening in openings * 3))
    assert len({made.session.session_id for made in opened}) == 1
    assert sum(made.is_new for made in opened) == 1
    await openings[0]._sessions.expire(opened[-1].session)
    for made in opened:
        await openings[0]._sessions.expire(made.session)
    later = await openings[1].open_or_resume("acme", ANN, "t")
    assert later.session.session_id != opened[0].session.session_id
    aws.close()


BAD_BODIES: list[tuple[object, str]] = [
    ({"userId": ANN, "instruction": "x"}, "clientId"),
    ({"clientId": "a", "instruction": "x"}, "userId"),
    ({"clientId": "a", "userId": ANN}, "instruction"),
    ({"clientId": "a", "userId": ANN, "instruction": " "}, "instruction"),
    ({"clientId": "a", "userId": ANN, "instruction": ["x"]}, "instruction"),
    ({"clientId": "../etc", "userId": ANN, "instruction": "x"}, "clientId"),
    ({"clientId": "a", "userId": "../../root@x.y", "instruction": "x"}, "userId"),
    ({"clientId": "a", "userId": ANN, "instruction": "x", "threadId": "../x"}, "threadId"),
    ({"clientId": "a", "userId": ANN, "instruction": "x" * 300_000}, "instruction"),
    ([], "JSON object"),
    ("text", "JSON object"),
]


async def test_a_bad_activation_is_a_400_that_names_the_fault_and_leaves_nothing(hermes: HermesWorld) -> None:
    for body, word in BAD_BODIES:
        status, answer = await hermes.post("/hermes/api/sessions/activate", body)
        assert (status, answer["statusCode"]) == (400, 400), body
        assert word in answer["message"]
    assert await hermes.rows() == []


async def test_a_body_that_is_no_json_is_a_400(hermes: HermesWorld) -> None:
    for data in (b"", b"{", b"\xff", b"[" * 100_000):
        assert (await hermes.post("/hermes/api/sessions/activate", data=data))[0] == 400


async def test_unknown_sessions_are_404_and_stay_unknown(hermes: HermesWorld) -> None:
    for method, path in (
        ("GET", "/hermes/api/sessions/nobody/status"),
        ("POST", "/hermes/api/sessions/nobody/keepalive"),
        ("POST", "/hermes/api/sessions/nobody/deactivate"),
    ):
        status, answer = await (hermes.get(path) if method == "GET" else hermes.post(path))
        assert (status, answer) == (404, {"statusCode": 404, "message": "Session not found"})
    assert await hermes.rows() == []


async def test_other_paths_are_404_in_json(hermes: HermesWorld) -> None:
    for path in ("/hermes/nowhere", "/", "/api/health", "/hermes/api/sessions/x"):
        status, answer = await hermes.get(path)
        assert (status, answer["statusCode"]) == (404, 404), path


async def test_the_status_is_the_rows(hermes: HermesWorld) -> None:
    await hermes.put_row()
    status, answer = await hermes.get("/hermes/api/sessions/TEST_s1/status")
    assert status == 200
    assert set(answer) == {"status", "containerIp", "lastActivity", "previewUrl"}
    assert (answer["status"], answer["containerIp"]) == ("active", "10.0.0.7")
    assert ISO.fullmatch(answer["lastActivity"])


async def test_keepalive_moves_activity_and_ttl(hermes: HermesWorld) -> None:
    await hermes.put_row(ttl=5)
    status, answer = await hermes.post("/hermes/api/sessions/TEST_s1/keepalive")
    assert (status, answer["status"]) == (201, "active")
    assert answer["ttl"] == pytest.approx(hermes.settings.clock.now() + 1800, abs=600)
    assert int((await hermes.rows())[0]["ttl"]) == answer["ttl"]


async def test_an_ended_session_is_not_revived(hermes: HermesWorld) -> None:
    await hermes.put_row(status="expired", lastActivity=5)
    for action in ("keepalive", "deactivate"):
        status, answer = await hermes.post(f"/hermes/api/sessions/TEST_s1/{action}")
        assert (status, answer["message"]) == (409, "Session is expired")
        (row,) = await hermes.rows()
        assert (row["status"], row["lastActivity"]) == ("expired", "5")


async def test_deactivation_drains_and_then_expires_that_session(hermes: HermesWorld) -> None:
    await hermes.put_row()
    await hermes.put_row(sessionId="TEST_s2")
    status, answer = await hermes.post("/hermes/api/sessions/TEST_s1/deactivate")
    assert (status, answer["status"]) == (201, "draining")
    await until(lambda: hermes.status("TEST_s1"), lambda status: status == "expired")
    assert await hermes.status("TEST_s2") == "active"


async def test_a_draining_session_finishes_its_work(hermes: HermesWorld) -> None:
    hermes.edit.gate.clear()
    session_id = (await hermes.activate("create page A"))["sessionId"]
    await until(lambda: hermes.edit.works)
    await hermes.post(f"/hermes/api/sessions/{session_id}/deactivate")
    assert await hermes.status(session_id) == "draining"
    hermes.edit.gate.set()
    await until(lambda: hermes.status(session_id), lambda status: status == "expired")


async def test_the_sessions_of_a_client(hermes: HermesWorld) -> None:
    for number in range(3):
        await hermes.put_row(sessionId=f"TEST_{number}", createdAt=f"2026-11-22T08:00:0{number}.000Z")
    await hermes.put_row(sessionId="TEST_x", clientId="other")
    status, answer = await hermes.get("/hermes/api/sessions/client/acme")
    assert status == 200
    assert [session["sessionId"] for session in answer] == ["TEST_2", "TEST_1", "TEST_0"]
    assert set(answer[0]) == {"sessionId", "userId", "status", "previewUrl", "lastActivity"}
    assert await hermes.get("/hermes/api/sessions/client/nobody") == (200, [])


async def test_an_instruction_that_cannot_be_done_leaves_the_session_usable(hermes: HermesWorld) -> None:
    hermes.edit.answer = lambda work: (422, {"statusCode": 422, "message": "I do not understand"})
    answer = await hermes.activate("bake bread")
    await active(hermes, answer["sessionId"])
    assert len(hermes.edit.works) == 1


@pytest.mark.parametrize("operation", ["put_item", "query"])
async def test_a_throttled_activation_is_a_503_and_leaves_nothing(hermes: HermesWorld, operation: str) -> None:
    hermes.refused.add(operation)
    body = {"clientId": "acme", "userId": ANN, "instruction": "create page A"}
    status, answer = await hermes.post("/hermes/api/sessions/activate", body)
    hermes.refused.clear()
    assert (status, answer["statusCode"]) == (503, 503)
    assert await hermes.rows() == []
    assert await hermes.rows("mails") == []
    assert not hermes.edit.works


async def test_an_activation_whose_session_cannot_be_put_leaves_nothing(
    hermes: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instruction is kept, then DynamoDB throttles: no row is half open, and nothing is done later."""
    put = Table.put

    async def put_and_throttle(table: Table, row: Any) -> None:
        await put(table, row)
        hermes.refused.add("put_item")

    monkeypatch.setattr(Table, "put", put_and_throttle)
    body = {"clientId": "acme", "userId": ANN, "instruction": "create page A"}
    assert (await hermes.post("/hermes/api/sessions/activate", body))[0] == 503
    hermes.refused.clear()
    assert await hermes.rows() == []
    assert await hermes.rows("mails") == []
    assert not hermes.edit.works


async def test_what_is_accepted_while_hermes_recovers_is_carried_out_once(
    resting: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look of a starting Hermes at the table comes late: it shows what was accepted since the start."""
    look = asyncio.Event()
    accepted = Inbox.accepted

    async def late(inbox: Inbox) -> list[Accepted]:
        await look.wait()
        return await accepted(inbox)

    monkeypatch.setattr(Inbox, "accepted", late)
    resting.edit.gate.clear()
    async with resting.running():
        session_id = (await resting.activate("create page A"))["sessionId"]
        await until(lambda: resting.edit.works)
        look.set()
        await resting.activate("create page B", user="bob@x.y")  # the table was read before this one is carried out
        await until(lambda: len({work["workId"] for work in resting.edit.works}) == 2)
        resting.edit.gate.set()
        await active(resting, session_id)
        await until(lambda: resting.rows("mails"), lambda rows: not rows)
    assert [work["instruction"] for work in resting.edit.works] == ["create page A", "create page B"]


async def test_the_next_hermes_carries_on_where_a_killed_one_was(resting: HermesWorld) -> None:
    resting.edit.gate.clear()
    async with resting.running(finish=False):
        session_id = (await resting.activate("create page A"))["sessionId"]
        await until(lambda: resting.edit.works)
    resting.edit.gate.set()
    async with resting.running():
        await active(resting, session_id)
        assert len(resting.edit.works) == 2
        assert len({work["workId"] for work in resting.edit.works}) == 1
        await until(lambda: resting.rows("mails"), lambda rows: not rows)


async def test_a_session_whose_container_never_comes_ends_cleanly(
    hermes: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit_service, "DEADLINE", 12.0)
    hermes.edit.answer = lambda work: (502, {})
    answer = await hermes.activate("create page A")
    await until(lambda: hermes.status(answer["sessionId"]), lambda status: status == "expired")
    await until(lambda: hermes.rows("mails"), lambda rows: not rows)
    assert len({work["workId"] for work in hermes.edit.works}) == 1
    assert len(hermes.edit.works) > 1


async def test_what_was_never_accepted_is_not_carried_out_later(resting: HermesWorld) -> None:
    await resting.put_row(status="expired")
    item = {"messageId": "http:w", "state": "accepted", "sessionId": "TEST_s1", "workId": "w", "instruction": "x"}
    marshalled = {name: {"S": value} for name, value in item.items()}
    await resting.call("dynamodb", "PutItem", TableName="mails", Item=marshalled)
    async with resting.running():
        await until(lambda: resting.rows("mails"), lambda rows: not rows)
    assert not resting.edit.works


async def test_twenty_five_sessions_at_once(hermes: HermesWorld) -> None:
    hermes.edit.up = False
    answers = await asyncio.gather(*(hermes.activate(f"create page P{n}", user=f"u{n}@x.y") for n in range(25)))
    assert len({answer["sessionId"] for answer in answers}) == 25
    await until(hermes.rows, lambda rows: [row["status"] for row in rows] == ["active"] * 25, within=20)
    assert hermes.ecs.updates == [1]
    by_session = {work["sessionId"]: work["userId"] for work in hermes.edit.works}
    assert sorted(by_session.values()) == sorted(f"u{n}@x.y" for n in range(25))
