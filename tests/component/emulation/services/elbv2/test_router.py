"""emulation/services/elbv2/router.py: which rule a request meets, and what the load balancer answers itself."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from aiohttp import web

from tests.support.balancer import Lab, balancer, rule, says
from webordinary_testkit.emulation.services.elbv2.actions import FixedResponse, Redirect
from webordinary_testkit.emulation.services.elbv2.conditions import condition


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with balancer() as made:
        yield made


async def test_the_rules_of_the_integration_test_stack_lead_where_they_should(lab: Lab) -> None:
    hermes, edit = lab.group("hermes"), lab.group("edit")
    lab.register(hermes, await lab.target(says("hermes")))
    lab.register(edit, await lab.target(says("edit")))
    await lab.route(
        rule("/hermes", "/hermes/*", to=hermes),
        rule("/api/*", to=edit),
        rule("/session/*", to=edit),
        rule("/preview/*", "/_astro/*", to=edit),
        rule("/ws/*", to=edit),
    )
    wanted = {
        "/hermes": "hermes",
        "/hermes/api/sessions/activate": "hermes",
        "/hermesx": "no rule",
        "/api/health": "edit",
        "/api": "no rule",
        "/session/abc/hello": "edit",
        "/_astro/x.css?v=1": "edit",
        "/ws/hmr": "edit",
        "/": "no rule",
        "/API/health": "no rule",
    }
    assert {path: (await lab.fetch(path))[1] for path in wanted} == wanted


async def test_the_first_rule_by_priority_wins(lab: Lab) -> None:
    first, second = FixedResponse(200, "text/plain", b"first"), FixedResponse(200, "text/plain", b"second")
    await lab.route(rule("/a*", do=first), rule("/ab*", do=second))
    assert (await lab.fetch("/abc"))[1] == "first"
    assert (await lab.fetch("/b"))[0] == 404


async def test_all_conditions_of_a_rule_have_to_hold(lab: Lab) -> None:
    post = condition({"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}})
    here = condition({"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}})
    await lab.route(rule("/a", do=FixedResponse(200, "text/plain", b"yes"), when=(post, here)))
    async with lab.client.post(lab.url + "/a") as answer:
        assert await answer.text() == "yes"
    assert (await lab.fetch("/a"))[0] == 404


async def test_the_host_is_matched_without_its_port(lab: Lab) -> None:
    host = condition({"Field": "host-header", "HostHeaderConfig": {"Values": ["site.test"]}})
    await lab.route(rule(do=FixedResponse(200, "text/plain", b"site"), when=(host,)))
    assert (await lab.fetch("/", headers={"Host": "SITE.test:8080"}))[1] == "site"
    assert (await lab.fetch("/", headers={"Host": "other.test"}))[0] == 404


async def test_a_source_forwarded_for_is_no_source(lab: Lab) -> None:
    there = condition({"Field": "source-ip", "SourceIpConfig": {"Values": ["203.0.113.0/24"]}})
    await lab.route(rule(do=FixedResponse(200, "text/plain", b"there"), when=(there,)))
    assert (await lab.fetch("/", headers={"X-Forwarded-For": "203.0.113.7"}))[0] == 404


async def test_a_fixed_response_is_the_load_balancers_own(lab: Lab) -> None:
    await lab.route(default=FixedResponse(404, "application/json; charset=utf-8", b'{"statusCode":404}'))
    async with lab.client.get(lab.url) as answer:
        assert (answer.status, await answer.json()) == (404, {"statusCode": 404})
        assert answer.headers["Server"] == "awselb/2.0"


async def test_a_redirect_leads_to_where_the_client_can_go(lab: Lab) -> None:
    await lab.route(rule("/old/*", do=Redirect("#{protocol}", "#{host}", "#{port}", "/new#{path}", "#{query}", 302)))
    async with lab.client.get(f"{lab.url}/old/x?a=1", allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == f"{lab.url}/newold/x?a=1"
        assert "<h1>302 Found</h1>" in await answer.text()


async def test_a_changed_table_holds_for_the_next_request_and_not_for_the_running_one(lab: Lab) -> None:
    async def changing(request: web.BaseRequest) -> web.StreamResponse:
        await lab.route(default=FixedResponse(410, "text/plain", b"gone"))
        return web.Response(text="old")

    group = lab.group()
    await lab.route(rule("/*", to=group))
    lab.register(group, await lab.target(changing))
    assert await lab.fetch("/") == (200, "old")
    assert await lab.fetch("/") == (410, "gone")
