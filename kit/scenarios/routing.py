"""The seed's scenario 4: the load balancer routes every path, and answers correctly when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from ..backends import capability
from ..faults import KillProcess, PauseTask
from ..harness import Harness
from ..harness.capacity import PinnedService
from ..harness.http import Answer
from ..harness.preview import sticky
from ..harness.sessions import TestSession
from ..system import facts
from ..system.facts import (
    HOT_RELOAD_LOADED,
    HOT_RELOAD_PROTOCOL,
    HOT_RELOAD_SCRIPT,
    NO_RULE,
    RULES,
    TARGET_COOKIE,
    Service,
)
from .registry import scenario
from .steps.journeys import end_at_zero, start_at_zero

_NO_RULE = ("/", "/hermesx", "/Hermes/health", "/api", "/apis/health", "/sessions/x", "/preview", "/ws", "/health")
"""Near misses of the rules: a pattern matches whole paths, and case counts."""
_CLIENTS = 8
"""Clients without a cookie, spread over two targets."""
_DRAINING = 60
"""AWS seconds for which a target drains."""


@dataclass(frozen=True)
class Route:
    """A path that only one declared pattern matches, and the service that answers."""

    path: str
    service: Service
    answers: str
    """Text in the answer's body."""


@scenario(
    "routing",
    needs=(
        capability.LOAD_BALANCER,
        capability.SCALING,
        capability.METRICS,
        capability.FAULT_TASK,
        capability.FAULT_PAUSE,
    ),
    proves="each path reaches its own service, one client one container, and what cannot be answered is said rightly",
)
async def routing(h: Harness) -> None:
    """Every rule, asleep and awake; hot reload; two targets, of which one hangs and one breaks; and draining."""
    await start_at_zero(h)
    with h.step("1 at zero tasks every rule answers 503, and the default 404"):
        await _verify_asleep(h)
    marker = h.new_marker()
    with h.step("2 a session is opened", target=h.timeouts.wake + h.timeouts.container_ready):
        session = await h.create_test_session(facts.add_page(f"Routed Page {marker}"), marker=marker)
        await h.wait_for_container_ready(session)
        await h.wait_for_change(session, facts.slug(f"Routed Page {marker}"), within=h.timeouts.container_ready)
    async with h.session_api.keeping_alive(session), h.capacity.pinned("edit") as edit, AsyncExitStack() as drained:
        with h.step("3 every rule of the load balancer, the default included"):
            await _verify_rules(h, session)
            await _verify_unknown_sessions(h)
        with h.step("4 a change arrives as a hot-reload message", target=h.timeouts.warm):
            await _verify_hot_reload(h, session, facts.slug(f"Routed Page {marker}"))
        with h.step("5 a second container joins", target=h.timeouts.container_ready + h.timeouts.health):
            await edit.set_desired(2)
            tasks = await edit.wait_for_healthy(2, within=h.timeouts.container_ready + h.timeouts.health)
            await _verify_all_serve(h, session)
        with h.step("6 one client stays with one container; one that hangs costs 504"):
            elsewhere = await _verify_hanging(h, session, tasks[0])
        with h.step("7 one that breaks costs 502"):
            await _verify_broken(h, session, tasks[1], elsewhere)
        with h.step("8 a request under way is finished while its container drains"):
            await drained.enter_async_context(h.balancer.drain_delay("edit", _DRAINING))
            await _verify_draining(h, session, edit)
            # Keepalives until then: the 503 would wake a Hermes at zero.
            await h.services.wait_for_zero(["edit"], within=_DRAINING + h.timeouts.scale_down)
    with h.step("9 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        await end_at_zero(h, session)


async def _verify_asleep(h: Harness) -> None:
    session = TestSession("TEST_nobody", "", "", "", "")
    for route in _routes(session, "/_astro/nothing.js").values():
        answer = await h.http.get(h.system.url(route.path))
        h.check(
            (answer.status, answer.by_balancer) == (503, True),
            f"503 by the load balancer for {route.path}",
            seen=answer,
        )
    h.checks.equal(await h.hot_reload.refusal(session), 503, "the status of an upgrade at /ws/hmr")
    await _verify_default(h)


async def _verify_default(h: Harness) -> None:
    for path in _NO_RULE:
        answer = await h.http.get(h.system.url(path))
        h.check((answer.status, answer.by_balancer) == (404, True), f"404 by the load balancer for {path}", seen=answer)
        h.checks.equal(answer.json(), NO_RULE, f"the body of {answer.url}")


async def _verify_rules(h: Harness, session: TestSession) -> None:
    """Check that every declared pattern is tried, and that the right service answers each path."""
    page = await h.fetch_preview(session)
    script = HOT_RELOAD_LOADED.search(page.body)
    h.check(script, "the page to load Vite's client, or a hot-reload script in its place", seen=page.body)
    assert script is not None
    client = await h.http.get(h.system.url(script[1].replace("&amp;", "&")))
    h.check(client.status == 200 and "WebSocket" in client.body, "that script to be served", seen=client)
    routes = _routes(session, HOT_RELOAD_SCRIPT)
    declared = await h.balancer.verify_rules(RULES)
    h.checks.equal(sorted(declared), sorted([*routes, "/ws/*"]), "the path patterns that are tried")
    for pattern, route in routes.items():
        h.checks.equal(
            declared[pattern].target_group_arn, h.system.target_group_arn(route.service), f"where {declared[pattern]}"
        )
        answer = await h.http.get(h.system.url(route.path))
        h.checks.equal(answer.status, 200, f"the status of {answer.url}", next=str(answer))
        h.check(route.answers in answer.body, f"{route.answers!r} in what {route.service} answers", seen=answer)
        # Only edit's target group is sticky: its cookie tells which group answered.
        h.checks.equal(TARGET_COOKIE in answer.cookies, route.service == "edit", f"{TARGET_COOKIE} set by {answer.url}")
    h.checks.equal(declared["/ws/*"].target_group_arn, h.system.target_group_arn("edit"), "where /ws/* goes")
    await _verify_default(h)


async def _verify_unknown_sessions(h: Harness) -> None:
    """Check that an unknown session gets a 404 of the service, not of the load balancer."""
    unknown = f"TEST_{h.new_marker()}"
    for url in (h.system.preview_url(unknown), h.system.session_action_url(unknown, "status")):
        answer = await h.http.get(url)
        h.check((answer.status, answer.by_balancer) == (404, False), f"404 by the service for {url}", seen=answer)
        h.checks.equal(answer.json(), {"statusCode": 404, "message": "Session not found"}, f"the body of {url}")
    h.checks.equal(
        await h.hot_reload.refusal(TestSession(unknown, "", "", "", "")),
        404,
        "the status of an upgrade for an unknown session",
    )


async def _verify_hot_reload(h: Harness, session: TestSession, slug: str) -> None:
    """Check that a browser gets a message when its page changes, and the change when it reloads."""
    marker = h.new_marker()
    page = await h.fetch_preview(session, slug)
    h.checks.equal(page.status, 200, f"the status of {page.url}, which is open")
    async with h.hot_reload.open(session) as socket:
        h.checks.equal(socket.protocol, HOT_RELOAD_PROTOCOL, "the negotiated subprotocol")
        await socket.wait_until_connected(within=h.timeouts.warm)
        h.checks.equal(socket.messages, [{"type": "connected"}], "the messages before any change")
        again = await h.create_test_session(facts.update_page(slug, marker), marker=marker, user_id=session.user_id)
        h.checks.equal(again.session_id, session.session_id, "the session of the second instruction")
        message = await socket.wait_for_reload(within=h.timeouts.warm)
        page = await h.fetch_preview(session, slug)
    h.checks.equal(message["type"], "full-reload", "the type of the message for a page that changed")
    h.check(message.get("path", "*") in ("*", f"/{slug}"), f"the message to mean the page /{slug}", seen=message)
    h.check(page.status == 200 and marker in page.body, f"the page with {marker}, once it is announced", seen=page)


async def _verify_all_serve(h: Harness, session: TestSession) -> None:
    """Wait until every container serves the page: a healthy target may still be loading its renderer."""

    async def statuses() -> list[int]:
        return [(await h.fetch_preview(session)).status for _ in range(_CLIENTS)]

    await h.eventually(
        statuses,
        until=lambda seen: set(seen) == {200},
        within=h.timeouts.container_ready,
        describe=f"the page of {session} to be served by every container",
    )


async def _verify_hanging(h: Harness, session: TestSession, hanging: str) -> Mapping[str, str]:
    """Check that each client stays with its container: while one container is paused, some clients get only 504 and
    the others only pages. Returns the cookie of one of the others."""
    timeout = await h.balancer.idle_timeout()
    cookies = [sticky(await h.fetch_preview(session)) for _ in range(_CLIENTS)]
    h.check(all(cookies), f"{TARGET_COOKIE} for each of {_CLIENTS} clients", seen=cookies)
    async with h.fault(PauseTask(hanging)):
        began = h.clock.now()
        async with asyncio.TaskGroup() as group:
            gets = [[group.create_task(_get(h, session, cookie)) for _ in range(2)] for cookie in cookies]
    answers = [[get.result() for get in both] for both in gets]
    statuses = [tuple(answer.status for answer in both) for both in answers]
    h.checks.equal(sorted(set(statuses)), [(200, 200), (504, 504)], "what clients get twice, each by its own cookie")
    late = [answer for both in answers for answer in both if answer.status == 504]
    h.check(all(answer.by_balancer for answer in late), "504 by the load balancer", seen=late)
    took = sorted(answer.first_byte - began for answer in late)
    h.check(
        took[0] >= timeout,
        f"the load balancer to wait {timeout:g} AWS s for the container",
        seen=f"{took[0]:.1f} AWS s",
    )
    h.check_within("the slowest 504", took[-1], timeout + h.timeouts.warm)
    return next(cookie for cookie, status in zip(cookies, statuses, strict=True) if status == (200, 200))


async def _get(h: Harness, session: TestSession, cookie: Mapping[str, str]) -> Answer:
    return await h.http.get(session.preview_url, headers=cookie)


async def _verify_broken(h: Harness, session: TestSession, task: str, cookie: Mapping[str, str]) -> None:
    """Check that the client of a request in flight to a dying container gets a 502 at once."""
    url, job = await _job(h, session)
    async with h.held_requests.post(url, job, headers=cookie) as request, h.fault(KillProcess(task)):
        answer = await request.answer(within=h.timeouts.warm)
    h.check((answer.status, answer.by_balancer) == (502, True), "502 by the load balancer", seen=answer)


async def _verify_draining(h: Harness, session: TestSession, edit: PinnedService) -> None:
    """Check that a draining container still answers the request in flight."""
    served = await h.eventually(
        lambda: h.fetch_preview(session),
        until=lambda answer: answer.status == 200,
        within=h.timeouts.recovery,
        describe=f"the page of {session} to be served after a container broke",
    )
    url, job = await _job(h, session)
    async with h.held_requests.post(url, job, headers=sticky(served)) as request:
        await edit.set_desired(0)
        await h.eventually(
            lambda: h.services.targets("edit"),
            until=lambda targets: {target.state for target in targets} == {"draining"},
            within=h.timeouts.scale_down,
            describe="every target of edit to be draining",
        )
        refused = await h.fetch_preview(session)
        h.check((refused.status, refused.by_balancer) == (503, True), "503 for a new request", seen=refused)
        await request.finish()
        answer = await request.answer(within=_DRAINING)
    h.checks.equal(answer.status, 200, f"the status of {answer.url}, begun before its container drained")
    h.check(len(answer.json().get("commit", "")) == 40, "the commit that was made of it", seen=answer)


async def _job(h: Harness, session: TestSession) -> tuple[str, dict[str, str]]:
    """The URL and body of a job as Hermes posts it to a container."""
    row = await h.verify_session_exists(session)
    marker = h.new_marker()
    return h.system.work_url(session.session_id), {
        "clientId": session.client_id,
        "userId": session.user_id,
        "threadId": row.thread_id,
        "workId": marker,
        "instruction": facts.add_page(f"Posted Page {marker}"),
    }


def _routes(session: TestSession, script: str) -> dict[str, Route]:
    """A route for every pattern that a plain GET can try."""
    return {
        "/hermes": Route("/hermes", "hermes", "hermes"),
        "/hermes/*": Route("/hermes/health", "hermes", '"healthy"'),
        "/api/*": Route("/api/health", "edit", '"healthy"'),
        "/session/*": Route(f"/session/{session.session_id}", "edit", "</html>"),
        "/preview/*": Route(f"/preview/{session.session_id}", "edit", "</html>"),
        "/_astro/*": Route(script, "edit", "WebSocket"),
    }
