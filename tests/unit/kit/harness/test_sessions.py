"""Opening sessions: what is repeated, what never is, and what a row must say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.support.kit import START, ScriptedAws, a_context
from webordinary_testkit.kit.core.errors import CheckFailed, Failed, WaitExpired
from webordinary_testkit.kit.core.history import FAIL, INFO, INVOKE
from webordinary_testkit.kit.harness.http import Answer, Http
from webordinary_testkit.kit.harness.sessions import Sessions, TestSession
from webordinary_testkit.kit.system.contract import ContractBroken, check_row

CREATED = {"sessionId": "TEST_1", "previewUrl": "http://alb.test/session/TEST_1", "status": "initializing"}


def answer(status: int, body: object = "", *, by_balancer: bool = False) -> Answer:
    headers = {"server": "awselb/2.0"} if by_balancer else {}
    return Answer("http://alb.test/x", status, headers, body if isinstance(body, str) else json.dumps(body), START)


class Web:
    """Answers in this order, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[tuple[str, str, Any]] = []

    async def request(self, method: str, url: str, *, body: Any = None, headers: Any = None) -> Answer:
        self.requests.append((method, url, body))
        return self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)

    async def get(self, url: str, *, headers: Any = None) -> Answer:
        return await self.request("GET", url)


def sessions(web: Web, aws: object = None) -> Sessions:
    return Sessions(a_context(aws), cast(Http, web))


async def create(one: Sessions) -> TestSession:
    return await one.create(client_id="c", user_id="u@x", instruction="Add", marker="m")


async def test_a_session_is_what_hermes_answered() -> None:
    web = Web(answer(201, CREATED))
    session = await create(sessions(web))
    assert (session.session_id, session.preview_url) == ("TEST_1", CREATED["previewUrl"])
    assert web.requests == [
        (
            "POST",
            "http://alb.test/hermes/api/sessions/activate",
            {"clientId": "c", "userId": "u@x", "instruction": "Add"},
        )
    ]


async def test_a_request_with_a_503_of_the_load_balancer_is_retried() -> None:
    web = Web(answer(503, by_balancer=True), answer(503, by_balancer=True), answer(201, CREATED))
    one = sessions(web)
    await create(one)
    assert len(web.requests) == 3
    ends = [event.type for event in one._context.history.events() if event.name == "create_session"]
    assert ends == [INVOKE, FAIL, INVOKE, FAIL, INVOKE, "ok"]


@pytest.mark.parametrize("status", [200, 400, 404, 500, 502])
async def test_anything_else_is_neither_repeated_nor_accepted(status: int) -> None:
    web = Web(answer(status, CREATED))
    with pytest.raises(CheckFailed, match=f"seen: {status}"):
        await create(sessions(web))
    assert len(web.requests) == 1


async def test_a_503_of_hermes_itself_is_not_repeated() -> None:
    web = Web(answer(503, {"statusCode": 503}))
    with pytest.raises(CheckFailed):
        await create(sessions(web))
    assert len(web.requests) == 1


async def test_after_a_504_the_session_is_looked_up_and_never_asked_for_twice() -> None:
    late = [{**CREATED, "sessionId": "TEST_9", "userId": "u@x"}, {**CREATED, "sessionId": "TEST_8", "userId": "v@x"}]
    web = Web(answer(504, by_balancer=True), answer(200, []), answer(200, late))
    one = sessions(web)
    assert (await create(one)).session_id == "TEST_9"
    assert [method for method, _, _ in web.requests] == ["POST", "GET", "GET"]
    assert [e.type for e in one._context.history.events() if e.name == "create_session"] == [INVOKE, INFO]


async def test_after_a_502_the_request_is_repeated_only_when_hermes_knows_of_no_session() -> None:
    known = [{**CREATED, "userId": "u@x"}]
    took_it = Web(answer(502, by_balancer=True), answer(503, by_balancer=True), answer(200, known))
    assert (await create(sessions(took_it))).session_id == "TEST_1"
    assert [method for method, _, _ in took_it.requests] == ["POST", "GET", "GET"]
    lost_it = Web(answer(502, by_balancer=True), answer(200, []), answer(201, CREATED))
    await create(sessions(lost_it))
    assert [method for method, _, _ in lost_it.requests] == ["POST", "GET", "POST"]


@pytest.mark.parametrize("status", [502, 504])
@pytest.mark.parametrize("ended", ["expired", "draining"])
async def test_a_session_of_before_is_not_what_a_lost_answer_has_opened(status: int, ended: str) -> None:
    before = {**CREATED, "sessionId": "TEST_0", "userId": "u@x", "status": ended}
    now = {**CREATED, "userId": "u@x"}
    took_it = Web(answer(status, by_balancer=True), answer(200, [now, before]))
    assert (await create(sessions(took_it))).session_id == "TEST_1"
    only_the_old = [answer(200, [before])]
    then = [answer(201, CREATED)] if status == 502 else [answer(200, [before, now])]
    late = Web(answer(status, by_balancer=True), *only_the_old, *then)
    assert (await create(sessions(late))).session_id == "TEST_1"
    assert [method for method, _, _ in late.requests] == ["POST", "GET", "POST" if status == 502 else "GET"]


@pytest.mark.parametrize("status", ["initializing", "active"])
async def test_a_session_knows_what_hermes_promised_if_it_answered(status: str) -> None:
    asked = Web(answer(201, CREATED | {"status": status}))
    assert (await create(sessions(asked))).answered == status
    given_up = Web(answer(504, by_balancer=True), answer(200, [{**CREATED, "userId": "u@x"}]))
    assert (await create(sessions(given_up))).answered == ""


async def test_two_sessions_for_one_request_fail() -> None:
    twice = [{**CREATED, "userId": "u@x"}, {**CREATED, "sessionId": "TEST_2", "userId": "u@x"}]
    with pytest.raises(CheckFailed, match="the number of open sessions"):
        await create(sessions(Web(answer(502, by_balancer=True), answer(200, twice))))


async def test_a_502_of_hermes_itself_is_neither_repeated_nor_looked_up() -> None:
    web = Web(answer(502, "proxy"))
    with pytest.raises(CheckFailed):
        await create(sessions(web))
    assert len(web.requests) == 1


async def test_a_hermes_that_never_wakes_fails_with_the_last_answer() -> None:
    with pytest.raises(WaitExpired, match="503 by the load balancer"):
        await create(sessions(Web(answer(503, by_balancer=True))))


@pytest.mark.parametrize("lacking", ["sessionId", "previewUrl", "status"])
async def test_an_answer_that_lacks_a_field_fails(lacking: str) -> None:
    body = {key: value for key, value in CREATED.items() if key != lacking}
    with pytest.raises(CheckFailed):
        await create(sessions(Web(answer(201, body))))


def item(**changes: dict[str, str]) -> dict[str, dict[str, str]]:
    return {
        "sessionId": {"S": "TEST_1"},
        "userId": {"S": "u@x"},
        "clientId": {"S": "c"},
        "threadId": {"S": "t"},
        "status": {"S": "active"},
        "lastActivity": {"N": str(int(START * 1000))},
        "createdAt": {"S": "2027-01-15T08:00:00Z"},
        "ttl": {"N": str(int(START + 1800))},
        "previewUrl": {"S": "p"},
        "editBranch": {"S": "thread-t"},
        "fargateTaskArn": {"S": "arn:task"},
        "containerIp": {"S": "10.0.0.7"},
        **changes,
    }


SESSION = TestSession("TEST_1", "c", "u@x", "p", "m")


def table(found: dict[str, dict[str, str]] | None) -> ScriptedAws:
    return ScriptedAws({("dynamodb", "get_item"): lambda **_: {} if found is None else {"Item": found}})


async def test_the_row_is_asked_for_by_its_whole_key() -> None:
    aws = table(item())
    await sessions(Web(answer(200)), aws).verify_exists(SESSION)
    assert aws.called("get_item")[0]["Key"] == {"sessionId": {"S": "TEST_1"}, "userId": {"S": "u@x"}}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clientId": {"S": "another"}}, "clientId"),
        ({"status": {"S": "expired"}}, "status"),
        ({"previewUrl": {"S": "elsewhere"}}, "previewUrl"),
        ({"ttl": {"N": str(int((START + 1800) * 1000))}}, "ttl: .* expected epoch seconds"),
        ({"lastActivity": {"N": str(int(START))}}, "lastActivity: .* expected epoch milliseconds"),
    ],
)
async def test_a_row_that_says_something_else_fails(changes: dict[str, dict[str, str]], said: str) -> None:
    with pytest.raises(Failed, match=said):
        await sessions(Web(answer(200)), table(item(**changes))).verify_exists(SESSION)


async def test_no_row_fails() -> None:
    with pytest.raises(CheckFailed, match="a row for session TEST_1"):
        await sessions(Web(answer(200)), table(None)).verify_exists(SESSION)


@pytest.mark.parametrize("name", ["threadId", "createdAt", "ttl"])
def test_a_row_that_lacks_a_field_names_it(name: str) -> None:
    rest = {key: value for key, value in item().items() if key != name}
    with pytest.raises(ContractBroken, match=name):
        check_row(rest, "sessions")


async def test_a_row_that_is_gone_is_not_expired() -> None:
    with pytest.raises(WaitExpired, match="no row"):
        await sessions(Web(answer(200)), table(None)).wait_for_status(SESSION, "expired", within=10)


async def test_all_sessions_have_to_expire() -> None:
    rows: dict[str, Callable[[], dict[str, Any]]] = {
        "TEST_1": lambda: {"Item": item(status={"S": "expired"})},
        "TEST_2": lambda: {"Item": item(status={"S": "active"})},
    }
    aws = ScriptedAws({("dynamodb", "get_item"): lambda Key, **_: rows[Key["sessionId"]["S"]]()})
    two = TestSession("TEST_2", "c", "u@x", "p", "m")
    with pytest.raises(WaitExpired, match="TEST_2"):
        await sessions(Web(answer(200)), aws).wait_for_all_expired([SESSION, two], within=10)
