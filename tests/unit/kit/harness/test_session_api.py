"""Ending a session by Hermes' HTTP interface."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from tests.support.kit import START, a_context
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.harness.http import Answer, Http
from webordinary_testkit.kit.harness.session_api import SessionApi
from webordinary_testkit.kit.harness.sessions import Sessions, TestSession
from webordinary_testkit.kit.system.contract import ContractBroken

SESSION = TestSession("TEST_1", "c", "u@x", "http://alb.test/session/TEST_1", "m")


class Hermes:
    """Answers with this, and expires deactivated sessions."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.answer = Answer("http://x", status, {}, json.dumps(body), START)
        self.requests: list[tuple[str, str]] = []
        self.waited: list[tuple[str, str]] = []

    async def request(self, method: str, url: str) -> Answer:
        self.requests.append((method, url))
        return self.answer

    async def wait_for_status(self, session: TestSession, status: str, *, within: float) -> None:
        self.waited.append((session.session_id, status))


def api(hermes: Hermes) -> SessionApi:
    return SessionApi(a_context(), cast(Http, hermes), cast(Sessions, hermes))


async def test_ending_a_session_asks_hermes_and_waits_for_the_row() -> None:
    hermes = Hermes(201, {"status": "draining", "message": "…"})
    await api(hermes).end(SESSION)
    assert hermes.requests == [("POST", "http://alb.test/hermes/api/sessions/TEST_1/deactivate")]
    assert hermes.waited == [("TEST_1", "expired")]


@pytest.mark.parametrize(("status", "body"), [(404, {"statusCode": 404}), (200, {"status": "draining"}), (201, {})])
async def test_an_answer_that_is_no_consent_fails(status: int, body: dict[str, Any]) -> None:
    hermes = Hermes(status, body)
    with pytest.raises(CheckFailed):
        await api(hermes).end(SESSION)
    assert hermes.waited == []


async def test_a_session_is_kept_alive_until_the_end_of_the_block_whatever_hermes_says() -> None:
    hermes = Hermes(404, {"statusCode": 404})
    one = api(hermes)
    async with one.keeping_alive(SESSION):
        for _ in range(5):
            await one._context.clock.sleep(10)
    assert set(hermes.requests) == {("POST", "http://alb.test/hermes/api/sessions/TEST_1/keepalive")}
    kept = len(hermes.requests)
    assert kept >= 2
    await one._context.clock.sleep(60)
    assert len(hermes.requests) == kept


async def test_a_breach_of_the_contract_by_a_keepalive_is_raised_at_the_end_of_the_block() -> None:
    class OutOfTerms(Hermes):
        async def request(self, method: str, url: str) -> Answer:
            raise ContractBroken("POST keepalive answered in other terms")

    one = api(OutOfTerms(201, {}))
    with pytest.raises(ContractBroken, match="in other terms"):
        async with one.keeping_alive(SESSION):
            for _ in range(5):
                await one._context.clock.sleep(10)
