"""Every route of Hermes and edit, for a session that is there and one that is not; each answer in agreed terms."""

from __future__ import annotations

from typing import Literal

from kit import system
from kit.backends import capability
from kit.clock import epoch
from kit.harness import Harness
from kit.harness.sessions import TestSession
from kit.journeys import start_at_zero, verify_zero
from kit.scenario import scenario
from kit.system import ACTIVE, ACTIVE_SESSIONS, EXPIRED, SERVICES


@scenario(
    "contract",
    needs=(capability.LOAD_BALANCER, capability.SCALING, capability.METRICS),
    proves="what the services answer is what was agreed on, and asking for what is not there brings nothing to life",
)
async def contract(h: Harness) -> None:
    """One session from its opening to its end, by HTTP alone. The harness checks the terms of every answer and row."""
    await start_at_zero(h)
    marker = h.new_marker()
    with h.step("1 a session is opened and counted", target=h.timeouts.wake):
        since = h.clock.now()
        session = await h.create_test_session(system.add_page(f"Agreed Page {marker}"), marker=marker)
        await h.verify_session_exists(session)
    async with h.visiting(session):
        with h.step("2 its count is published where the alarms look for it", target=h.timeouts.health):
            await _verify_counted(h, since)
        with h.step("3 its page is served", target=h.timeouts.container_ready):
            await h.wait_for_container_ready(session)
            await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)
            await _verify_looking_counts(h, session)
        with h.step("4 its own routes answer for it"):
            await _verify_known(h, session)
        with h.step("5 for a session that nobody opened they say so, and make none"):
            await _verify_unknown(h, f"TEST_{h.new_marker()}")
    since = h.clock.now()
    with h.step("6 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        await h.session_api.end(session)
        answer = await h.session_api.ask(session.session_id, "status")
        if not answer.by_balancer:  # which answers when Hermes has gone to sleep meanwhile
            h.checks.equal(answer.json().get("status"), EXPIRED, f"the status in the answer of {answer.url}")
        await verify_zero(h, [session], since=since)


async def _verify_counted(h: Harness, since: float) -> None:
    dimensions = h.system.metric_dimensions()

    async def newest() -> float:
        points = await h.metrics.datapoints(ACTIVE_SESSIONS, dimensions, since=since)
        return points[-1].value if points else 0.0

    await h.eventually(
        newest,
        until=lambda value: value >= 1,
        within=h.timeouts.health,
        describe=f"the newest datapoint of {ACTIVE_SESSIONS} with {dimensions} to be at least 1",
    )


async def _verify_looking_counts(h: Harness, session: TestSession) -> None:
    """Somebody has its preview open, and nothing else happens to it."""
    before = await h.verify_session_exists(session)

    async def moved() -> int:
        row = await h.session_row(session)
        return row.last_activity_ms - before.last_activity_ms if row else 0

    await h.eventually(
        moved,
        until=lambda milliseconds: milliseconds > 0,
        within=h.timeouts.health,
        describe=f"lastActivity of {session} to move while its preview is looked at",
    )


async def _verify_known(h: Harness, session: TestSession) -> None:
    for url in (
        *(h.system.health_url(service) for service in SERVICES),
        h.system.session_health_url(session.session_id),
    ):
        h.checks.equal((await h.http.get(url)).status, 200, f"the status of GET {url}")
    before = await h.verify_session_exists(session)
    status = await h.session_api.ask(session.session_id, "status")
    h.checks.equal(status.status, 200, f"the status of GET {status.url}")
    kept = await h.session_api.ask(session.session_id, "keepalive")
    h.checks.equal(kept.status, 201, f"the status of POST {kept.url}")
    after = await h.verify_session_exists(session)
    h.checks.equal(status.json()["previewUrl"], before.preview_url, f"previewUrl of {status.url}")
    active = round(epoch(status.json()["lastActivity"]) * 1000)
    h.check(
        before.last_activity_ms <= active <= after.last_activity_ms,
        f"lastActivity of {status.url} to be between the row's before and after",
        seen=f"{before.last_activity_ms}, then {active}, then {after.last_activity_ms}",
    )
    h.check(
        before.ttl_seconds <= kept.json()["ttl"] <= after.ttl_seconds,
        f"ttl of {kept.url} to be between the row's before and after",
        seen=f"{before.ttl_seconds}, then {kept.json()['ttl']}, then {after.ttl_seconds}",
    )
    listed = await h.http.get(h.system.sessions_of_client_url(session.client_id))
    h.checks.equal(listed.status, 200, f"the status of GET {listed.url}")
    ids = [entry["sessionId"] for entry in listed.json()]
    h.check(session.session_id in ids, f"{session} among the sessions of its client at {listed.url}", seen=ids)


async def _verify_unknown(h: Harness, session_id: str) -> None:
    actions: tuple[Literal["keepalive", "deactivate", "status"], ...] = ("keepalive", "deactivate", "status")
    for action in actions:
        answer = await h.session_api.ask(session_id, action)
        rows = await h.session_api.rows(session_id)
        h.check(not rows, f"no row for session {session_id}, which nobody opened, after {action}", seen=rows)
        h.checks.equal(answer.status, 404, f"the status of {answer.url}, a session that nobody opened")
    health = await h.http.get(h.system.session_health_url(session_id))
    h.checks.equal(health.status, 404, f"the status of {health.url}, a session that nobody opened")
