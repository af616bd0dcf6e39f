"""The seed's scenario 2: a workspace outlives its containers and sessions."""

from __future__ import annotations

from contextlib import AsyncExitStack

from ..backends import capability
from ..core.checkers import one_reply_each
from ..harness import Harness
from ..harness.repositories import Commit
from ..harness.sessions import TestSession
from ..system import facts
from ..system.facts import ACTIVE, EXPIRED, HEADER_COMMIT, HEADER_FILE
from .registry import scenario
from .steps.journeys import start_at_zero, verify_zero


@scenario(
    "persistence",
    needs=capability.MAIL_TO_PREVIEW,
    proves="files and commits outlive containers and sessions, and a mail's bare Conversation ID finds its thread",
    checkers=(one_reply_each,),
)
async def persistence(h: Harness) -> None:
    """A session, its containers stopped by force, a new session, and a mail without the thread's headers."""
    await start_at_zero(h)
    with h.step("1 a session makes changes", target=h.timeouts.container_ready + h.timeouts.wake):
        first, kept, before = await _first_session(h)
    with h.step("2 its containers are taken away by force", target=h.timeouts.scale_down + h.timeouts.health):
        gone = await _force_to_zero(h)
        await h.session_api.end(first)
        answer = await h.session_api.ask(first.session_id, "status")
        h.checks.equal(answer.json().get("status"), EXPIRED, f"the status in the answer of {answer.url}")
    async with AsyncExitStack() as meanwhile:
        with h.step("3 a new session of the same user", target=h.timeouts.container_ready):
            second = await _second_session(h, first)
            await meanwhile.enter_async_context(h.session_api.keeping_alive(second))
            await _verify_elsewhere(h, second, gone)
        with h.step("4 the files of before are there"):
            await h.verify_file_exists(second.path(HEADER_FILE))
            await h.verify_file_exists(second.path(facts.page_file(kept)))
        with h.step("5 the git history is preserved, commit by commit"):
            after = await h.repositories.verify_continues(second, before)
            await h.repositories.verify_whole(second)
            content = await h.files.read(second.path(HEADER_FILE))
            h.check(second.marker in content, f"the update {second.marker} in {HEADER_FILE}", seen=content)
            page = await h.fetch_preview(second, facts.slug(kept))
            h.checks.equal(page.status, 200, f"the status of {page.url}")
            h.check(first.marker in page.body, f"{first.marker} in the page of the first session", seen=page.body)
        with h.step("6 a reply without headers resumes the thread", target=h.timeouts.reply):
            await _header_stripped_reply(h, second, after)
    with h.step("7 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        since = h.clock.now()
        await h.session_api.end(second)
        await verify_zero(h, [first, second], since=since)


async def _first_session(h: Harness) -> tuple[TestSession, str, tuple[Commit, ...]]:
    """The session, the title of its other page, and its commits."""
    marker = h.new_marker()
    kept = f"Kept Page {marker}"
    instruction = f"{facts.create_header(f'Welcome {marker}')}\n{facts.add_page(kept)}"
    session = await h.create_test_session(instruction, marker=marker)
    async with h.session_api.keeping_alive(session):
        await h.wait_for_container_ready(session)
        await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)
        await h.verify_file_exists(session.path(HEADER_FILE))
        commits = await h.repositories.log(session)
        h.check(
            commits[0].subject.startswith(HEADER_COMMIT), f"the last commit to be {HEADER_COMMIT!r}", seen=commits[0]
        )
    return session, kept, commits


async def _force_to_zero(h: Harness) -> set[str]:
    """Scale edit to zero; returns its previous tasks, all STOPPED now."""
    there = {task["taskArn"] for task in await h.services.tasks("edit")}
    h.check(there, "edit to have had a task to take away")
    await h.force_scale_down("edit", 0)
    await h.wait_for_service_stable("edit")
    stopped = {task["taskArn"] for task in await h.services.tasks("edit", stopped=True)}
    h.check(there <= stopped, f"the {len(there)} task(s) of before to be STOPPED", seen=sorted(there - stopped))
    return there


async def _second_session(h: Harness, first: TestSession) -> TestSession:
    """A session that continues the first one's thread."""
    marker = h.new_marker()
    session = await h.create_test_session(
        facts.update_header(f"New content {marker}"), marker=marker, user_id=first.user_id
    )
    h.check(session.session_id != first.session_id, "a new session, the first one is expired", seen=session.session_id)
    before, now = await h.session_row(first), await h.session_row(session)
    h.check(
        before and now and (now.thread_id, now.edit_branch) == (before.thread_id, before.edit_branch),
        "the new session to follow in the thread and on the branch of the first",
        seen=f"{before and (before.thread_id, before.edit_branch)}, then {now and (now.thread_id, now.edit_branch)}",
    )
    return session


async def _verify_elsewhere(h: Harness, session: TestSession, gone: set[str]) -> None:
    """Its work is done, in a container that is not one of those that are gone."""
    await h.wait_for_container_ready(session)
    await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)
    serving = {task["taskArn"] for task in await h.services.tasks("edit")}
    h.check(serving and not serving & gone, "other containers than those that were taken away", seen=sorted(serving))


async def _header_stripped_reply(h: Harness, session: TestSession, before: tuple[Commit, ...]) -> None:
    """Some mail programs drop In-Reply-To and References: the footer they quote is all that is left of the thread."""
    row = await h.verify_session_exists(session)
    marker = h.new_marker()
    title = f"Late Page {marker}"
    mail = await h.send_mail(
        f"{facts.add_page(title)}\n\n> Conversation ID: {row.thread_id}\n",
        marker=marker,
        sender=session.user_id,
        subject="One more thing",
    )
    reply = await h.wait_for_reply(mail)
    h.checks.equal(facts.conversation_id(reply.message), row.thread_id, "the conversation id of the reply")
    body = facts.body_text(reply.message)
    h.check(session.preview_url in body, f"the reply to name the preview {session.preview_url}", seen=body)
    await h.repositories.verify_continues(session, before)
    await h.verify_file_exists(session.path(facts.page_file(title)))
    rows = await h.sessions.rows_of(session.client_id, session.user_id)
    h.checks.equal({each.thread_id for each in rows}, {row.thread_id}, f"the threads of {session.user_id}")
    h.checks.equal(len(rows), 2, f"the number of sessions of {session.user_id}")
