"""A session at work whose task goes: another one takes its place, and nothing of the session is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...faults.fault import Fault
from ...harness import Harness
from ...harness.repositories import Commit
from ...harness.sessions import TestSession
from ...system import facts
from ...system.facts import ACTIVE, SessionRow


@dataclass(frozen=True)
class AtWork:
    """A session, and how it was."""

    session: TestSession
    page: str
    """The slug of its page."""
    row: SessionRow
    commits: tuple[Commit, ...]


async def open_session(h: Harness) -> tuple[TestSession, str]:
    """A session with a page of its own that is served, and the page's slug."""
    marker = h.new_marker()
    page = facts.slug(f"Kept Page {marker}")
    session = await h.create_test_session(facts.add_page(f"Kept Page {marker}"), marker=marker)
    async with h.visiting(session):
        await h.wait_for_container_ready(session)
        await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)
        await h.wait_for_change(session, page, within=h.timeouts.warm)
    return session, page


async def look(h: Harness, session: TestSession, page: str) -> AtWork:
    """How a session is now."""
    return AtWork(session, page, await h.verify_session_exists(session), await h.repositories.log(session))


async def serving(h: Harness) -> str:
    """The ARN of the one edit task there is."""
    tasks = [task["taskArn"] for task in await h.services.tasks("edit")]
    h.checks.equal(len(tasks), 1, "the number of edit tasks for one session")
    return str(tasks[0])


async def replaced(h: Harness, session: TestSession, fault: Fault, lost: str, what: str, *, within: float) -> None:
    """Under the fault, another task than the lost one serves the session within so many AWS seconds."""
    async with h.fault(fault) as injected:
        await h.wait_for_container_ready(session, within=within)
        assert injected.at is not None
        h.check_within(what, h.clock.now() - injected.at, within)
        tasks = await h.services.tasks("edit")
        running = [task["taskArn"] for task in tasks if task["lastStatus"] == "RUNNING"]
        h.check(set(running) - {lost}, f"another task than {lost} to run", seen=running)


async def verify_preserved(h: Harness, before: AtWork) -> None:
    """The row says what it said, but for the times of activity; files and commits are there, and the page is served."""
    session = before.session
    now = await h.verify_session_exists(session)
    same = replace(now, last_activity_ms=before.row.last_activity_ms, ttl_seconds=before.row.ttl_seconds)
    h.checks.equal(same, before.row, "the session row, times of activity aside,")
    await h.verify_file_exists(facts.project_path(session.client_id, session.user_id, "package.json"))
    await h.wait_for_change(session, before.page, within=h.timeouts.warm)
    await h.repositories.verify_unchanged(session, before.commits)
    await h.repositories.verify_whole(session)
