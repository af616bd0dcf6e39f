"""How Webordinary's actions are performed. What the system does wrong is recorded, not raised."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from ...backends.interface import MailRefused
from ...core.errors import Failed
from ...harness.letter import Letter
from ...harness.mail import SentMail
from ...harness.sessions import TestSession
from ...system import facts
from ...system.facts import EXPIRED, NOTHING_CHANGED
from ..mix import Action, name_of
from ..play import Play
from . import looks
from .threads import Threads

_ROBOT_WAITS = 300.0
"""AWS seconds after which a robot takes its mail for unanswered."""

Perform = Callable[[Play, Threads, int, Action, str], Awaitable[None]]


async def mail(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """A mail of the strand's thread, or its first one; people whose replies do not come back write by HTTP."""
    if not threads.gets_mail(strand):
        await open_by_http(play, threads, strand, action, label)
        return
    thread = threads[strand]
    answers = ""
    if not thread.conversation and thread.mails:
        # A follow-up to a mail that was not answered yet: it can only name that mail, once that one is known.
        await threads.locate(strand, play.h.timeouts.wake)
        answers = thread.mails[-1][1].message_id
    await _send(play, threads, strand, action, label, conversation=thread.conversation, answers=answers)


async def mail_into(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """A mail that quotes the conversation of another strand."""
    assert action.to is not None
    await threads.locate(action.to, play.h.timeouts.wake)
    conversation = threads[action.to].conversation
    if not conversation or not threads.gets_mail(strand):
        await mail(play, threads, strand, action, label)
        return
    await _send(play, threads, strand, action, label, conversation=conversation)


async def open_by_http(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """An activation in the user's current thread."""
    await _activate(play, threads, strand, action, label, thread=None)


async def open_into(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """An activation that names the thread of another strand."""
    assert action.to is not None
    await threads.locate(action.to, play.h.timeouts.wake)
    await _activate(play, threads, strand, action, label, thread=threads[action.to].conversation or None)


async def again(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """The last mail of the strand once more, byte by byte."""
    if threads[strand].mails:
        await play.h.mail.deliver_again(threads[strand].mails[-1][1])


async def robot(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """A program that answers every reply by a mail, until no reply comes."""
    if not threads.gets_mail(strand):
        return
    for turn in range(int(action.amount)):
        before = len(threads[strand].mails)
        conversation = threads[strand].conversation
        await _send(play, threads, strand, action, f"{label}.{turn}", conversation=conversation, robot="yes")
        sent = [mail for _, mail in threads[strand].mails[before:]]
        if not all(play.h.mail.replied(mail) for mail in sent):
            return


async def keepalive(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    session = await threads.locate(strand, play.h.timeouts.wake)
    if session is not None:
        with play.h.history.operation("keepalive", session=session.session_id) as operation:
            answer = await _asked(play.h.session_api.ask(session.session_id, "keepalive"))
            operation.ok(answer=str(answer)[:200])
        await looks.row(play, strand, session)


async def visit(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    session = await threads.locate(strand, play.h.timeouts.wake)
    if session is not None:
        await looks.preview(play, threads, strand, session)


async def watch(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    """A hot-reload socket, open until the mix ends; a refused upgrade is recorded by the harness."""
    session = await threads.locate(strand, play.h.timeouts.wake)
    if session is None:
        return
    try:
        socket = await threads.sockets.enter_async_context(play.h.hot_reload.open(session))
    except Exception as error:  # an upgrade fails in many ways while containers come and go
        play.note("mix.no_socket", {"because": f"{type(error).__name__}: {error}"[:200]}, session=name_of(strand))
    else:
        threads[strand].sockets.append((session, socket))


async def end_action(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    await threads.locate(strand, play.h.timeouts.wake)
    await end(play, threads, strand)


async def end(play: Play, threads: Threads, strand: int) -> None:
    """End every open session of a strand."""
    for owner, session in threads.sessions():
        row = await play.h.session_row(session) if owner == strand else None
        if row is not None and row.status != EXPIRED:
            touches = {"session": name_of(strand), "session_id": session.session_id, "cause": "deactivate"}
            with play.h.history.operation("mix.end", **touches) as operation:
                answer = await _asked(play.h.session_api.ask(session.session_id, "deactivate"))
                if getattr(answer, "status", 0) == 201:
                    operation.ok()
                elif getattr(answer, "status", 500) < 500:
                    operation.fail(str(answer)[:200])
                else:
                    operation.info(str(answer)[:200])


async def idle(play: Play, threads: Threads, strand: int, action: Action, label: str) -> None:
    await play.h.clock.sleep(action.amount * float(play.h.stack.idle_seconds))
    session = threads[strand].session
    if session is not None:
        await looks.row(play, strand, session)


async def wait_for_results(play: Play, threads: Threads) -> None:
    """Wait for the replies to all mails, which name their sessions, and for the pages that were asked for by HTTP."""
    async with asyncio.TaskGroup() as group:
        for strand in threads:
            for session, page in threads[strand].asked:
                group.create_task(_shown(play, session, page))
            for label, sent in threads[strand].mails:
                if label.count(".") > 1 and not play.h.mail.replied(sent):
                    continue  # a robot's mail may stay without a reply
                group.create_task(_reply(play, threads, strand, sent))


async def _send(
    play: Play,
    threads: Threads,
    strand: int,
    action: Action,
    label: str,
    *,
    conversation: str = "",
    answers: str = "",
    **touches: str,
) -> None:
    """Send a mail, into a conversation or as an answer to a Message-ID; wait for its reply if the action does."""
    h, marker = play.h, play.new_marker(label)
    page = facts.add_page(f"Page {marker}")
    text = facts.slowly(action.amount, page) if action.amount else page
    if conversation:
        text += f"\n\n> Conversation ID: {conversation}"
    sender, to = threads.user_id(strand), h.system.address_for(play.client(strand))
    threads[strand].pages.append(facts.slug(f"Page {marker}"))
    headers = {"In-Reply-To": answers} if answers else {}
    with play.instruct(strand, "mail", marker, project=threads.project(strand), user=sender, **touches) as operation:
        try:
            sent = await h.mail.send(Letter(text, headers=headers), sender=sender, to=to, marker=marker)
        except MailRefused as refused:
            operation.fail(refused)
            return
        operation.ok(message=sent.message_id, thread=conversation)
    threads[strand].mails.append((label, sent))
    if action.waits:
        await _reply(play, threads, strand, sent, within=_ROBOT_WAITS if touches else None)


async def _reply(play: Play, threads: Threads, strand: int, sent: SentMail, *, within: float | None = None) -> None:
    """Wait for a reply, and take the thread and the session from it."""
    h = play.h
    if within is None:
        within = h.timeouts.wake + h.timeouts.recovery + h.timeouts.reply
    try:
        reply = await h.wait_for_reply(sent, within=within)
    except Failed as failed:
        play.note("mix.no_reply", {"because": str(failed)[:1000]}, session=name_of(strand), message=sent.message_id)
        return
    threads[strand].conversation = facts.conversation_id(reply.message) or threads[strand].conversation
    if NOTHING_CHANGED not in reply.text():
        await threads.locate(strand, h.timeouts.warm)


async def _activate(
    play: Play, threads: Threads, strand: int, action: Action, label: str, *, thread: str | None
) -> None:
    """Ask for a page by HTTP; wait until it is shown if the action does."""
    h, marker = play.h, play.new_marker(label)
    user, page = threads.user_id(strand), facts.slug(f"Page {marker}")
    threads[strand].pages.append(page)
    with play.instruct(strand, "http", marker, project=threads.project(strand), user=user) as operation:
        try:
            session = await h.sessions.create(
                client_id=play.client(strand),
                user_id=user,
                instruction=facts.add_page(f"Page {marker}"),
                marker=marker,
                thread_id=thread,
            )
        except Failed as failed:
            operation.info(str(failed)[:500])
            return
        operation.ok(session_id=session.session_id)
    threads.knows(strand, session)
    threads[strand].asked.append((session, page))
    row = await h.session_row(session)
    if row is not None:
        threads[strand].conversation = row.thread_id
    if action.waits:
        await _shown(play, session, page)


async def _shown(play: Play, session: TestSession, page: str) -> None:
    h = play.h
    try:
        await h.preview.wait_for_change(session, page, within=h.timeouts.container_ready + h.timeouts.recovery)
    except Failed as failed:
        play.note("mix.not_shown", {"because": str(failed)[:1000]}, page=page, session_id=session.session_id)


async def _asked(answer: Awaitable[object]) -> object:
    try:
        return await answer
    except OSError as error:
        return error


ACTIONS: Mapping[str, Perform] = {
    "mail": mail,
    "open": open_by_http,
    "mail_into": mail_into,
    "open_into": open_into,
    "again": again,
    "robot": robot,
    "keepalive": keepalive,
    "visit": visit,
    "watch": watch,
    "end": end_action,
    "idle": idle,
}
