"""Readiness and change, seen through the load balancer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.support.kit import START, ScriptedAws, a_context
from webordinary_testkit.kit.core.errors import WaitExpired
from webordinary_testkit.kit.core.history import INFO, OK
from webordinary_testkit.kit.harness import phases
from webordinary_testkit.kit.harness.context import Context
from webordinary_testkit.kit.harness.http import Answer, Http
from webordinary_testkit.kit.harness.preview import Preview
from webordinary_testkit.kit.harness.services import Services
from webordinary_testkit.kit.harness.sessions import TestSession

SESSION = TestSession("TEST_1", "c", "u@x", "http://alb.test/session/TEST_1", "k7bq3tz9")


class Web:
    """Answers by URL; each URL's answers in order, the last one for ever."""

    def __init__(self, **answers: list[tuple[int, str]]) -> None:
        self.answers = answers
        self.fetched: list[str] = []
        self.fourth = asyncio.Event()

    async def get(self, url: str, *, headers: Any = None) -> Answer:
        name = url.rpartition("/")[2]
        self.fetched.append(name)
        if len(self.fetched) == 4:
            self.fourth.set()
        script = self.answers[name]
        status, body = script[0] if len(script) == 1 else script.pop(0)
        if status == 0:
            raise ConnectionResetError("gone")
        return Answer(url, status, {}, body, START + len(self.fetched))


def preview(web: Web, *states: str) -> tuple[Preview, Context]:
    left = list(states)

    def health(**_: Any) -> dict[str, Any]:
        state = left[0] if len(left) == 1 else left.pop(0)
        return {"TargetHealthDescriptions": [{"Target": {"Id": "1", "Port": 1}, "TargetHealth": {"State": state}}]}

    moments = {
        name: datetime.fromtimestamp(START - 9 + n, UTC) for n, name in enumerate(("pullStartedAt", "startedAt"))
    }
    task = {"taskArn": "a", "lastStatus": "RUNNING", "desiredStatus": "RUNNING", **moments}
    aws = ScriptedAws(
        {
            ("elbv2", "describe_target_health"): health,
            ("ecs", "list_tasks"): lambda **_: ["a"],
            ("ecs", "describe_tasks"): lambda **_: {"tasks": [task]},
        }
    )
    context = a_context(aws)
    return Preview(context, cast(Http, web), Services(context)), context


async def test_ready_is_a_healthy_target_then_a_healthy_session_then_its_page() -> None:
    web = Web(health=[(503, ""), (200, "")], TEST_1=[(404, ""), (200, "hello")])
    one, context = preview(web, "initial", "unhealthy", "healthy")
    page = await one.wait_until_ready(SESSION, within=60)
    assert page.body == "hello"
    assert web.fetched == ["health", "health", "TEST_1", "TEST_1"]
    names = [phase["name"] for phase in context.timeline.to_json()]
    assert names == [phases.TASK_PENDING, phases.TASK_RUNNING, phases.TARGET_HEALTHY, phases.FIRST_BYTE]


async def test_without_a_healthy_target_no_page_is_even_asked_for() -> None:
    web = Web(health=[(200, "")], TEST_1=[(200, "")])
    one, _ = preview(web, "unhealthy")
    with pytest.raises(WaitExpired, match=r"a healthy target[\s\S]*1:1 unhealthy"):
        await one.wait_until_ready(SESSION, within=60)
    assert web.fetched == []


@pytest.mark.parametrize("status", [204, 302, 403, 404, 500, 502, 503])
async def test_no_other_status_is_taken_for_a_page(status: int) -> None:
    one, _ = preview(Web(health=[(200, "")], TEST_1=[(status, "")]), "healthy")
    with pytest.raises(WaitExpired, match=f"last seen: {status}"):
        await one.wait_until_ready(SESSION, within=10)


async def test_a_change_is_a_page_with_the_marker_and_not_any_page() -> None:
    one, context = preview(Web(**{"test-page": [(200, "an older page"), (200, "<h1>k7bq3tz9</h1>")]}))
    answer = await one.wait_for_change(SESSION, "test-page", within=10)
    assert context.timeline.at(phases.CHANGE_VISIBLE) == answer.first_byte
    stale, _ = preview(Web(**{"test-page": [(200, "an older page")]}))
    with pytest.raises(WaitExpired, match="last seen: 200, marker absent"):
        await stale.wait_for_change(SESSION, "test-page", within=10)


async def test_the_marker_in_an_error_page_is_no_change() -> None:
    one, _ = preview(Web(**{"test-page": [(404, "no page k7bq3tz9")]}))
    with pytest.raises(WaitExpired, match="last seen: 404, marker there"):
        await one.wait_for_change(SESSION, "test-page", within=10)


async def test_a_visitor_comes_again_and_again_and_what_breaks_is_recorded() -> None:
    web = Web(TEST_1=[(200, ""), (0, ""), (200, "")])
    one, context = preview(web)
    async with asyncio.timeout(5), one.visiting(SESSION):
        await web.fourth.wait()
    ends = [event.type for event in context.history.events() if event.name == "visit" and event.type in (OK, INFO)]
    assert ends[:3] == [OK, INFO, OK]
