"""The main job: a mail goes in, its page is visible, a reply comes back, and everything returns to zero."""

from __future__ import annotations

from dataclasses import replace

from ..backends import capability
from ..core.checkers import one_reply_each
from ..harness import Harness, phases
from ..harness.mail import SentMail
from ..harness.mailbox import Reply
from ..harness.sessions import TestSession
from ..system import facts
from .registry import scenario
from .steps.journeys import back_to_zero, check_phases, from_zero


@scenario(
    "email_to_preview",
    needs=capability.MAIL_TO_PREVIEW,
    proves="a mail becomes a visible page and exactly one reply, and nothing is left running",
    checkers=(one_reply_each,),
)
async def email_to_preview(h: Harness) -> None:
    """The seed's seven steps by mail, with the commit, the reply and a second mail to a warm container."""
    async with from_zero(h, "mail") as journey:
        session, mail = journey.session, journey.mail
        assert mail is not None
        with h.step("the change is committed"):
            await _verify_committed(h, session)
        with h.step("the reply comes back", target=h.timeouts.reply):
            reply = await h.wait_for_reply(mail)
            await _verify_reply(h, reply, mail, session)
        with h.step("a second mail of the thread, to a warm container", target=h.timeouts.warm):
            second = await _warm(h, session, reply)
        with h.step("its reply comes back in the same conversation"):
            await _verify_reply(h, await h.wait_for_reply(second), second, session)
    await back_to_zero(h, journey)
    with h.step("each mail had one reply, and there was no other"):
        answered = [reply.in_reply_to for reply in h.mail.replies(mail.sender)]
        h.checks.same(answered, [mail.message_id, second.message_id], f"what {mail.sender} got replies to")


async def _warm(h: Harness, session: TestSession, reply: Reply) -> SentMail:
    """Answer the reply as a mail program does, quoting it; the change appears in the same session."""
    marker = h.new_marker()
    title = f"Second Page {marker}"
    h.journey("warm")
    second = await h.send_mail(
        f"{facts.add_page(title)}\n\n{reply.quoted()}",
        marker=marker,
        sender=session.user_id,
        subject=_re(str(reply.message["Subject"])),
        headers={"In-Reply-To": reply.message_id, "References": reply.message_id},
    )
    await h.wait_for_change(replace(session, marker=marker), facts.slug(title), within=h.timeouts.container_ready)
    check_phases(h, phases.MAIL_ACCEPTED, phases.CHANGE_VISIBLE, h.timeouts.warm)
    return second


async def _verify_committed(h: Harness, session: TestSession) -> None:
    message = await h.repositories.git(session, "log -1 --format=%B")
    h.check(session.marker in message, f"the last commit to carry the marker {session.marker}", seen=message)


async def _verify_reply(h: Harness, reply: Reply, mail: SentMail, session: TestSession) -> None:
    body = facts.body_text(reply.message)
    h.checks.equal(reply.in_reply_to, mail.message_id, "In-Reply-To of the reply")
    h.check(
        mail.message_id in str(reply.message["References"]),
        "References to name the mail",
        seen=reply.message["References"],
    )
    h.checks.equal(str(reply.message["Subject"]), _re(mail.subject), "the reply's subject")
    h.check(session.preview_url in body, "the reply to name the preview", seen=body)
    h.check(mail.marker in body, f"the reply to carry the marker {mail.marker}", seen=body)
    row = await h.session_row(session)
    h.checks.equal(facts.conversation_id(reply.message), row and row.thread_id, "the conversation id of the reply")


def _re(subject: str) -> str:
    """The subject of an answer: one `Re:`."""
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"
