"""The seed's scenario 5: a container that dies is replaced, and a throttled database loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..backends import capability
from ..core.checkers import one_reply_each
from ..faults import KillProcess, Throttle
from ..faults.fault import EffectNotSeen
from ..harness import Harness
from ..harness.http import Answer
from ..harness.mail import SentMail
from ..harness.sessions import TestSession
from ..system import facts
from ..system.contract import SessionRow
from ..system.facts import EXPIRED
from .registry import scenario
from .steps.journeys import start_at_zero, verify_zero
from .steps.task_replacement import edit_task, open_session, state_of, verify_preserved, verify_replaced

_STRESS = 20
"""Concurrent requests for sessions, as in the seed."""
_MAILS = 3
"""Concurrent mails."""
_LONG = "long " * 2500
"""The text of each session's page. Its row takes a dozen write units, so that a throttle by units refuses some
sessions; short rows would all succeed, one after the other."""
_REFUSED = 0.75
"""Probability that a DynamoDB call is refused: despite the system's retries some sessions fail."""


@dataclass(frozen=True)
class Attempt:
    """A request for a session while DynamoDB was throttled, and Hermes' answer."""

    user_id: str
    marker: str
    title: str
    answer: Answer

    @property
    def accepted(self) -> bool:
        return self.answer.status == 201


@scenario(
    "recovery",
    needs=(*capability.MAIL_TO_PREVIEW, capability.FAULT_TASK, capability.FAULT_THROTTLE),
    proves="a killed container is replaced and nothing is lost; a throttled DynamoDB makes clean failures only",
    checkers=(one_reply_each,),
)
async def recovery(h: Harness) -> None:
    """A crash; then twenty sessions and some mails while DynamoDB refuses most calls."""
    await start_at_zero(h)
    with h.step("a1 a session at work", target=h.timeouts.wake + h.timeouts.container_ready):
        session, page = await open_session(h)
    # By keepalives: a lost container serves no visits, and an idle session would expire.
    async with h.session_api.keeping_alive(session):
        before = await state_of(h, session, page)
        with h.step("a2 its container is killed and ECS replaces it", target=h.timeouts.recovery):
            task, what = await edit_task(h), "a killed container's replacement"
            await verify_replaced(h, session, KillProcess(task), task, what, within=h.timeouts.recovery)
        with h.step("a3 session and workspace are as they were"):
            await verify_preserved(h, before)
        # This keeps the machine busy for seconds, longer than a scaled clock's timeouts.
        async with h.balancer.patient():
            with h.step(f"b1 {_STRESS} sessions and {_MAILS} mails while DynamoDB is throttled"):
                attempts, mails = await _under_throttling(h)
            with h.step("b2 some succeed, some are refused, and every refusal is a clean answer"):
                accepted = _verify_answers(h, attempts)
            with h.step("b3 what was accepted is done", target=h.timeouts.recovery, by_chance=True):
                async with asyncio.TaskGroup() as group:
                    for attempt in accepted:
                        group.create_task(_verify_done(h, attempt))
            with h.step("b4 no mail is lost", target=h.timeouts.reply):
                async with asyncio.TaskGroup() as group:
                    for mail in mails:
                        group.create_task(_verify_answered(h, mail))
    since = h.clock.now()
    with h.step("b5 no row stays half-open, and it goes back to zero", target=h.timeouts.idle_shutdown):
        users = {attempt.user_id: attempt.accepted for attempt in attempts} | {mail.sender: True for mail in mails}
        await _verify_rows_end(h, users)
        await verify_zero(h, [session], since=since)


async def _under_throttling(h: Harness) -> tuple[Sequence[Attempt], Sequence[SentMail]]:
    """Request all sessions and send all mails at once, while the system's calls to DynamoDB are refused."""
    async with h.fault(Throttle("dynamodb", probability=_REFUSED)), asyncio.TaskGroup() as group:
        attempts = [group.create_task(_attempt(h)) for _ in range(_STRESS)]
        mails = [group.create_task(_mail(h)) for _ in range(_MAILS)]
    return [attempt.result() for attempt in attempts], [mail.result() for mail in mails]


async def _attempt(h: Harness) -> Attempt:
    marker = h.new_marker()
    title, user = f"Stressed Page {marker}", h.new_user(marker)
    client, instruction = h.settings.test_data.client_id, f'{facts.add_page(title)} with "{_LONG}"'
    return Attempt(user, marker, title, await h.sessions.activate(client, user, instruction, marker))


async def _mail(h: Harness) -> SentMail:
    marker = h.new_marker()
    return await h.send_mail(facts.add_page(f"Mailed Page {marker}"), marker=marker)


def _verify_answers(h: Harness, attempts: Sequence[Attempt]) -> list[Attempt]:
    """Check that each answer is a session or a well-formed error of Hermes; returns the sessions.

    Raises `EffectNotSeen` when none was refused.
    """
    for attempt in attempts:
        answer = attempt.answer
        h.check(not answer.by_balancer, f"an answer of Hermes itself to {attempt.user_id}", seen=answer)
        fields = answer.json()
        opened = attempt.accepted and fields.get("sessionId") and fields.get("previewUrl")
        refused = answer.status >= 500 and fields.get("statusCode") == answer.status and fields.get("message")
        what = "a session with its preview, or an error of the server's with its statusCode and a message"
        h.check(opened or refused, f"for {attempt.user_id} {what}", seen=answer)
    accepted = [attempt for attempt in attempts if attempt.accepted]
    h.check(accepted, f"some of {len(attempts)} sessions to be opened", seen=[attempt.answer for attempt in attempts])
    if len(accepted) == len(attempts):
        raise EffectNotSeen(
            f"none of {len(attempts)} sessions was refused while DynamoDB was throttled, so no refusal was checked",
            next="throttle more: the system's retries made up for every refused call",
        )
    return accepted


async def _verify_done(h: Harness, attempt: Attempt) -> None:
    """Check that the page of an accepted session is served."""
    said = attempt.answer.json()
    client = h.settings.test_data.client_id
    session = TestSession(said["sessionId"], client, attempt.user_id, said["previewUrl"], attempt.marker)
    await h.wait_for_change(session, facts.slug(attempt.title), within=h.timeouts.recovery)


async def _verify_answered(h: Harness, mail: SentMail) -> None:
    reply = await h.wait_for_reply(mail, within=h.timeouts.reply + h.timeouts.recovery)
    h.check(mail.marker in facts.body_text(reply.message), f"{mail.marker} in the reply", seen=reply)
    h.checks.equal(len(h.mail.replies(mail.sender)), 1, f"the number of replies to {mail.sender}")


async def _verify_rows_end(h: Harness, users: Mapping[str, bool]) -> None:
    """Check that users whose session was opened (true) have one thread, others at most one, and that all rows expire.

    A thread may have several rows: a mail that is retried later may find its first session expired.
    """

    async def look() -> list[SessionRow]:
        rows = await h.sessions.rows_of(h.settings.test_data.client_id)
        return [row for row in rows if row.user_id in users]

    rows = await h.eventually(
        look,
        until=lambda rows: all(row.status == EXPIRED for row in rows),
        within=h.timeouts.session_expiry + h.timeouts.scale_down,
        every=5.0,
        describe=f"every session of these {len(users)} users to be {EXPIRED}, those that failed too",
    )
    for user, opened in users.items():
        threads = {row.thread_id for row in rows if row.user_id == user}
        what = f"one thread of {user}, or none where no session was opened"
        h.check(len(threads) <= 1 and (threads or not opened), what, seen=sorted(threads))
