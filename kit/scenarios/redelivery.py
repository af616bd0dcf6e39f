"""Malformed messages block no mail; a mail is done once, also when delivered twice or when Hermes is killed."""

from __future__ import annotations

import json

from ..backends import capability
from ..core.checkers import one_reply_each
from ..faults import KillProcess
from ..harness import Harness
from ..harness.letter import Letter
from ..harness.mail import SentMail
from ..harness.sessions import TestSession
from ..system import facts
from .registry import scenario
from .steps.journeys import start_at_zero, verify_zero

_MAX_RECEIVES = 3
_WORKS_FOR = 60
"""AWS seconds that the agent takes for the mail during which Hermes is killed."""


@scenario(
    "redelivery",
    needs=(*capability.MAIL_TO_PREVIEW, capability.FAULT_TASK),
    proves="a malformed message blocks nobody, and a mail is done once, however often it comes and whoever dies",
    checkers=(one_reply_each,),
)
async def redelivery(h: Harness) -> None:
    """Poison, duplicates, and a crash between the receipt of a message and its deletion."""
    await start_at_zero(h)
    with h.step("1 malformed messages, and a mail that comes twice"):
        h.checks.equal(await h.inbound.max_receives(), _MAX_RECEIVES, "maxReceiveCount of the inbound queue")
        poison = _poison(h.new_marker())
        began = h.clock.now()
        poisoned = {body: await h.inbound.put(body) for body in poison}
        twice = await _post(h)
        await h.mail.deliver_again(twice)
    with h.step("2 the mail behind them opens one session", target=h.timeouts.wake):
        session = await h.wait_for_session(twice)
    async with h.visiting(session):
        with h.step("3 and it is answered", target=h.timeouts.reply):
            await h.wait_for_reply(twice)
        with h.step("4 the malformed are dead letters after 3 receives", target=h.timeouts.wake):
            for body, message_id in poisoned.items():
                await h.inbound.wait_for_dead_letter(body, within=h.timeouts.wake)
                await h.inbound.wait_for_complaints(message_id, _MAX_RECEIVES, since=began, within=h.timeouts.reply)
        with h.step("5 a third time, answered already: one session, commit, reply"):
            await h.mail.deliver_again(twice)
            await h.inbound.wait_until_empty(within=h.timeouts.reply)
            rows = await h.sessions.rows_of(session.client_id, session.user_id)
            h.checks.equal([row.session_id for row in rows], [session.session_id], f"the sessions of {session.user_id}")
            await _verify_done_once(h, session, twice)
    with h.step("6 Hermes is killed over a mail", target=h.timeouts.recovery):
        held = await _killed_over(h)
    with h.step("7 the mail is not lost, and not done twice", target=h.timeouts.recovery + h.timeouts.reply):
        reply = await h.wait_for_reply(held, within=h.timeouts.recovery + h.timeouts.reply)
        rows = await h.sessions.rows_of(session.client_id, held.sender)
        sessions = [h.sessions.adopt(row, held.marker) for row in rows]
        h.checks.equal(
            {row.thread_id for row in rows},
            {facts.conversation_id(reply.message)},
            f"the threads of {held.sender}, and the conversation id of the reply",
        )
        named = [each for each in sessions if each.preview_url in facts.body_text(reply.message)]
        h.checks.equal(len(named), 1, "the number of previews that the reply names")
        async with h.visiting(named[0]):
            await h.inbound.wait_until_empty(within=h.timeouts.reply)
            await _verify_done_once(h, named[0], held)
            since = h.clock.now()
            await h.session_api.end(named[0])
    with h.step("8 it goes back to zero", target=h.timeouts.idle_shutdown):
        await h.wait_for_all_sessions_expired([session, *sessions])
        await verify_zero(h, [session, *sessions], since=since)


def _poison(marker: str) -> tuple[str, ...]:
    """Messages without a mail: one is not JSON, one is an empty envelope of SNS."""
    return f"{marker} is no JSON", json.dumps({"Type": "Notification", "MessageId": marker, "Message": "{}}"})


async def _post(h: Harness, slowly: float = 0) -> SentMail:
    """A mail for a new page; `slowly` is additional AWS seconds of the agent."""
    marker = h.new_marker()
    text = facts.add_page(f"Once {marker}")
    text = facts.slowly(slowly, text) if slowly else text
    to = h.system.address_for(h.settings.test_data.client_id)
    return await h.mail.send(Letter(text), sender=h.new_user(marker), to=to, marker=marker)


async def _killed_over(h: Harness) -> SentMail:
    """A mail that Hermes has received, but not deleted, when it is killed."""
    __tracebackhide__ = True
    held = await _post(h, _WORKS_FOR)
    await h.mail.wait_for_receipt(held, within=h.timeouts.reply)
    tasks = await h.services.running("hermes")
    h.checks.equal(len(tasks), 1, "the number of running Hermes tasks")
    async with h.fault(KillProcess(tasks[0]["taskArn"])):
        depth = await h.inbound.depth()
        h.check(not depth.empty, "the mail to be in the queue still when Hermes is dead", seen=depth)
        h.checks.equal(h.mail.replies(held.sender), [], "what was answered before Hermes was killed")
    return held


async def _verify_done_once(h: Harness, session: TestSession, sent: SentMail) -> None:
    """Check that the mail has one commit and one reply."""
    __tracebackhide__ = True
    await h.wait_for_container_ready(session)
    log = await h.repositories.git(session, f"log --all --grep={sent.marker} --format=%H")
    h.checks.equal(len(log.split()), 1, f"the number of commits for {sent.marker}")
    answered = [reply.in_reply_to for reply in h.mail.replies(sent.sender)]
    h.checks.equal(answered, [sent.message_id], f"what {sent.sender} got replies to")
