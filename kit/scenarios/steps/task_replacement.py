"""A session whose task is lost: another task replaces it, and nothing of the session is lost."""

from __future__ import annotations

from dataclasses import dataclass

from ...faults.fault import Fault
from ...harness import Harness
from ...harness.repositories import Commit
from ...harness.sessions import TestSession
from ...system import facts
from ...system.contract import SessionRow
from ...system.facts import ACTIVE


@dataclass(frozen=True)
class SessionState:
    """A session's row, page and commits at one moment."""

    session: TestSession
    page: str
    """The slug of its page."""
    row: SessionRow
    commits: tuple[Commit, ...]


async def open_session(h: Harness) -> tuple[TestSession, str]:
    """Open a session and wait for its page; returns the session and the page's slug."""
    marker = h.new_marker()
    page = facts.slug(f"Kept Page {marker}")
    session = await h.create_test_session(facts.add_page(f"Kept Page {marker}"), marker=marker)
    async with h.visiting(session):
        await h.wait_for_container_ready(session)
        await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)
        await h.wait_for_change(session, page, within=h.timeouts.warm)
    return session, page


async def state_of(h: Harness, session: TestSession, page: str) -> SessionState:
    """The session's current state."""
    return SessionState(session, page, await h.verify_session_exists(session), await h.repositories.log(session))


async def edit_task(h: Harness) -> str:
    """The ARN of the only edit task."""
    tasks = [task["taskArn"] for task in await h.services.tasks("edit")]
    h.checks.equal(len(tasks), 1, "the number of edit tasks for one session")
    return str(tasks[0])


async def verify_replaced(
    h: Harness, session: TestSession, fault: Fault, lost: str, what: str, *, within: float
) -> None:
    """Check that under the fault another task than the lost one serves the session; `within` is AWS seconds."""
    async with h.fault(fault) as injected:
        await h.wait_for_container_ready(session, within=within)
        assert injected.at is not None
        h.check_within(what, h.clock.now() - injected.at, within)
        running = [task["taskArn"] for task in await h.services.running("edit")]
        h.check(set(running) - {lost}, f"another task than {lost} to run", seen=running)


async def verify_preserved(h: Harness, before: SessionState) -> None:
    """Check that the row (activity times aside), files and commits are unchanged and the page is served."""
    session = before.session
    now = await h.verify_session_exists(session)
    times = {"last_activity_ms": before.row.last_activity_ms, "ttl_seconds": before.row.ttl_seconds}
    h.checks.equal(now.model_copy(update=times), before.row, "the session row, times of activity aside,")
    await h.verify_file_exists(session.path("package.json"))
    await h.wait_for_change(session, before.page, within=h.timeouts.warm)
    await h.repositories.verify_unchanged(session, before.commits)
    await h.repositories.verify_whole(session)
