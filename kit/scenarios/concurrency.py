"""The seed's scenario 3: concurrent sessions are isolated from each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from ..backends import capability
from ..core.checkers import one_reply_each
from ..harness import Harness
from ..harness.capacity import Bounds, CountHistory
from ..harness.mail import SentMail
from ..harness.sessions import TestSession
from ..system import facts
from ..system.facts import ACTIVE, OPEN
from .registry import scenario
from .steps.journeys import start_at_zero, verify_zero

T = TypeVar("T")


@dataclass(frozen=True)
class Member:
    """One of the sessions, with the two markers that belong to it alone."""

    session: TestSession
    title: str
    """The title of its first page."""
    mailed: str
    """The marker of its later mail."""

    @property
    def own(self) -> frozenset[str]:
        return frozenset({self.session.marker, self.mailed})

    @property
    def mailed_title(self) -> str:
        return f"Mailed Page {self.mailed}"


@scenario(
    "concurrency",
    needs=capability.MAIL_TO_PREVIEW,
    proves="sessions at the same time share containers and nothing else: no marker, no end, no expiry",
    checkers=(one_reply_each,),
)
async def concurrency(h: Harness) -> None:
    """Several sessions at once, isolated at every hop; each ends in its own way."""
    number = h.settings.test_data.concurrent_sessions
    await start_at_zero(h)
    bounds = await h.capacity.bounds("edit")
    with h.step(f"1 {number} sessions are asked for at once", target=h.timeouts.wake):
        members = await _all(_open(h, at) for at in range(number))
    sessions = [member.session for member in members]
    ended, idle, used = sessions[0], sessions[1:-1], sessions[-1]
    async with AsyncExitStack() as to_the_end:
        async with _kept_alive(h, sessions):
            with h.step("2 every one of them is in DynamoDB"):
                await _verify_rows(h, sessions)
            with h.step("3 containers come up, no more than allowed", target=h.timeouts.container_ready):
                async with h.capacity.watch("edit") as scaled_out:
                    await _all(_ready(h, session) for session in sessions)
                _verify_bounds(h, scaled_out, bounds)
            in_use = await to_the_end.enter_async_context(h.capacity.watch("edit"))
            with h.step("4 there are as many as so many sessions call for", target=h.timeouts.wake):
                await h.capacity.wait_for_running("edit", _called_for(number, bounds), within=h.timeouts.wake)
                await _all(_verify_open(h, session) for session in sessions)
            with h.step(f"5 {number} mails at once, one for each of them", target=h.timeouts.reply):
                mails = await _all(_mail(h, member) for member in members)
                await _verify_replies(h, members, mails)
            with h.step("6 each has its own workspace, history and preview"):
                await _verify_isolated(h, members)
            with h.step("7 one is ended by its client, the others go on", target=h.timeouts.scale_down):
                await h.session_api.end(ended)
                await _all(_verify_open(h, session) for session in [*idle, used])
            await to_the_end.enter_async_context(h.visiting(used))
        with h.step("8 the idle ones expire, the one in use goes on", target=h.timeouts.idle_shutdown):
            await h.wait_for_all_sessions_expired(idle)
            await _verify_open(h, used)
    _verify_bounds(h, in_use, bounds, at_least=1)
    since = h.clock.now()
    with h.step("9 unused, the last one expires, and it goes back to zero", target=h.timeouts.idle_shutdown):
        await h.wait_for_all_sessions_expired(sessions)
        await verify_zero(h, sessions, since=since)


async def _all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of concurrent tasks, in order; a failure cancels the others."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]


async def _open(h: Harness, at: int) -> Member:
    marker = h.new_marker()
    title = f"Page {chr(ord('A') + at % 26)} {marker}"
    session = await h.create_test_session(facts.add_page(title), marker=marker)
    return Member(session, title, h.new_marker())


async def _ready(h: Harness, session: TestSession) -> None:
    await h.wait_for_container_ready(session)
    await h.sessions.wait_for_status(session, ACTIVE, within=h.timeouts.container_ready)


async def _verify_rows(h: Harness, sessions: Sequence[TestSession]) -> None:
    h.checks.equal(len({session.session_id for session in sessions}), len(sessions), "the number of session ids")
    rows = await _all(h.verify_session_exists(session) for session in sessions)
    h.checks.equal(len({row.thread_id for row in rows}), len(sessions), "the number of threads")


async def _mail(h: Harness, member: Member) -> SentMail:
    """Send a mail into the open session: its conversation is the session's thread."""
    row = await h.session_row(member.session)
    h.check(row is not None, f"a row of {member.session}")
    assert row is not None
    return await h.send_mail(
        f"{facts.add_page(member.mailed_title)}\n\n> Conversation ID: {row.thread_id}\n",
        marker=member.mailed,
        sender=member.session.user_id,
    )


async def _verify_replies(h: Harness, members: Sequence[Member], mails: Sequence[SentMail]) -> None:
    """Check that each mail has exactly one reply, which mentions no other session."""
    await _all(h.wait_for_reply(mail) for mail in mails)
    everyone = _all_markers(members)
    for member, mail in zip(members, mails, strict=True):
        replies = h.mail.replies(mail.sender)
        h.checks.equal(
            [reply.in_reply_to for reply in replies], [mail.message_id], f"what {mail.sender} got replies to"
        )
        text = f"{replies[0].message.as_string()}\n{facts.body_text(replies[0].message)}"
        h.check(member.session.preview_url in text, f"the reply to name {member.session.preview_url}", seen=text)
        h.markers.verify_own_only(f"the reply to {mail.sender}", text, own=member.own, everyone=everyone)


async def _verify_isolated(h: Harness, members: Sequence[Member]) -> None:
    """Check that no session's files, commits or pages contain another's markers."""
    own = {member.session.session_id: member.own for member in members}
    sessions = [member.session for member in members]
    await h.markers.verify_workspaces("files", sessions, own)
    await h.markers.verify_workspaces("history", sessions, own)
    pages = {
        member.session.session_id: [facts.slug(member.title), facts.slug(member.mailed_title)] for member in members
    }
    await _all(_verify_preview(h, member, pages, _all_markers(members)) for member in members)


async def _verify_preview(
    h: Harness, member: Member, pages: Mapping[str, Sequence[str]], everyone: frozenset[str]
) -> None:
    """Check that a session's address serves its own pages and not the others'."""
    session = member.session
    shown = []
    for page in ["", *pages[session.session_id]]:
        answer = await h.fetch_preview(session, page)
        h.checks.equal(answer.status, 200, f"the status of {answer.url}")
        shown.append(answer.body)
    h.markers.verify_own_only(f"the preview of {session}", "\n".join(shown), own=member.own, everyone=everyone)
    for other, theirs in pages.items():
        if other != session.session_id:
            answer = await h.fetch_preview(session, theirs[0])
            h.checks.equal(answer.status, 404, f"the status of {answer.url}, which is a page of {other}")


async def _verify_open(h: Harness, session: TestSession) -> None:
    """Check that the session is open and its page is served."""
    row = await h.session_row(session)
    h.check(row is not None and row.status in OPEN, f"{session} to be open still", seen=row and row.status)
    answer = await h.fetch_preview(session)
    h.checks.equal(answer.status, 200, f"the status of {answer.url}, whose session is in use")


def _called_for(sessions: int, bounds: Bounds) -> int:
    """The task count to which the stack's template scales: the maximum for at least as many sessions, otherwise one."""
    return bounds.highest if sessions >= bounds.highest else 1


def _verify_bounds(h: Harness, watched: CountHistory, bounds: Bounds, at_least: int = 0) -> None:
    """Check that the task count never left its limits."""
    h.check(
        all(at_least <= sample.running and sample.desired <= bounds.highest for sample in watched.samples),
        f"at least {at_least} running and at most {bounds.highest} desired edit task(s) all the time",
        seen=watched.samples,
    )
    seen = f"{watched.looks} look(s), the longest time between two was {watched.longest_gap:.1f} AWS s"
    h.check(watched.is_gapless, "the edit tasks to be counted all the time", seen=seen)
    last = watched.samples[-1]
    h.check(1 <= last.running <= bounds.highest, f"1 to {bounds.highest} running edit tasks", seen=last)


def _all_markers(members: Sequence[Member]) -> frozenset[str]:
    return frozenset().union(*(member.own for member in members))


@asynccontextmanager
async def _kept_alive(h: Harness, sessions: Sequence[TestSession]) -> AsyncIterator[None]:
    async with AsyncExitStack() as keepers:
        for session in sessions:
            await keepers.enter_async_context(h.session_api.keeping_alive(session))
        yield
