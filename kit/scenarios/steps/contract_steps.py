"""Checks of the contract between Hermes and edit: the published session count, and every route's content.

The harness already checks the format of every answer and row.
"""

from __future__ import annotations

from typing import Literal

from ...core.clock import epoch
from ...harness import Harness
from ...harness.sessions import TestSession
from ...system.facts import ACTIVE, ACTIVE_SESSIONS, SERVICES


async def verify_counted(h: Harness, since: float) -> None:
    """Check that a count of at least 1 is published, with the alarms' dimension."""
    __tracebackhide__ = True
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


async def verify_looking_counts(h: Harness, session: TestSession) -> None:
    """Check that an open preview alone moves lastActivity."""
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


async def verify_known(h: Harness, session: TestSession) -> None:
    """Check every route for an open session."""
    __tracebackhide__ = True
    for url in (
        *(h.system.health_url(service) for service in SERVICES),
        h.system.session_health_url(session.session_id),
    ):
        h.checks.equal((await h.http.get(url)).status, 200, f"the status of GET {url}")
    await _verify_whereabouts(h, session)
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


async def _verify_whereabouts(h: Harness, session: TestSession) -> None:
    """Check that the active session's row names a running task and its address."""
    __tracebackhide__ = True
    row = await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.health)
    running = [task["taskArn"] for task in await h.services.running("edit")]
    h.check(row.task_arn in running, f"fargateTaskArn of {session} to be a running task of edit", seen=row.task_arn)
    h.check(row.container_ip, f"containerIp of {session} to be set once it is active", seen=repr(row.container_ip))


async def verify_unknown(h: Harness, session_id: str) -> None:
    """Check every route for a session that does not exist: each answers 404, and none creates a row."""
    __tracebackhide__ = True
    actions: tuple[Literal["keepalive", "deactivate", "status"], ...] = ("keepalive", "deactivate", "status")
    for action in actions:
        answer = await h.session_api.ask(session_id, action)
        rows = await h.session_api.rows(session_id)
        h.check(not rows, f"no row for session {session_id}, which was never opened, after {action}", seen=rows)
        h.checks.equal(answer.status, 404, f"the status of {answer.url}, a session that was never opened")
    health = await h.http.get(h.system.session_health_url(session_id))
    h.checks.equal(health.status, 404, f"the status of {health.url}, a session that was never opened")
