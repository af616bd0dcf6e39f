"""Two interleaved threads of one user, with mails as mail programs write them."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

from ..backends import capability
from ..core.checkers import one_reply_each
from ..harness import Harness
from ..harness.letter import Letter
from ..harness.mail import SentMail
from ..harness.mailbox import Reply
from ..harness.sessions import TestSession
from ..system import facts
from .registry import scenario
from .steps.journeys import end_at_zero, start_at_zero

_WORDS = "Grüße aus Malmö = 你好, naïve ½ — and so on, longer than one line of a mail may be, " * 2
"""Not ASCII; `=` and the length exercise quoted-printable."""


@dataclass
class Exchange:
    """A mail and its reply."""

    letter: Letter
    mail: SentMail
    reply: Reply


@dataclass
class Thread:
    """One conversation."""

    name: str
    user: str
    exchanges: list[Exchange] = field(default_factory=list)
    conversation: str = ""
    session: TestSession | None = None

    @property
    def last(self) -> Reply:
        return self.exchanges[-1].reply

    @property
    def markers(self) -> list[str]:
        return [exchange.mail.marker for exchange in self.exchanges]

    @property
    def opened(self) -> TestSession:
        assert self.session is not None
        return self.session


@scenario(
    "mail_thread",
    needs=capability.MAIL_TO_PREVIEW,
    proves="every mail of a thread finds its conversation however it is written, and gets exactly one reply",
    checkers=(one_reply_each,),
)
async def mail_thread(h: Harness) -> None:
    """Three mails of one thread and two of another, each in another format; the threads never mix."""
    await start_at_zero(h)
    user = h.new_user(h.new_marker())
    one, other = Thread("one", user), Thread("other", user)
    async with AsyncExitStack() as visits:
        with h.step("1 first mails: HTML only, `Name <addr>`; encoded", target=h.timeouts.wake + h.timeouts.reply):
            html = Letter("", html=True, name='Zoë "Z" Ødegård', encoding="base64")
            encoded = Letter("", encoding="quoted-printable", name="Ødegård, Z.")
            async with asyncio.TaskGroup() as group:
                group.create_task(_first(h, one, html, visits))
                group.create_task(_first(h, other, encoded, visits))
            h.check(one.conversation != other.conversation, "two first mails to begin two conversations")
        with h.step("2 answers, by headers alone; by HTML with a quoted footer", target=h.timeouts.reply):
            by_headers = Letter("", encoding="base64", subject="Re: Please", headers=_in_reply_to(one.last))
            by_footer = Letter("", html=True, encoding="quoted-printable", quoted=other.last.quoted())
            async with asyncio.TaskGroup() as group:
                group.create_task(_mail(h, one, by_headers))
                group.create_task(_mail(h, other, by_footer))
        with h.step("3 a third mail, its headers stripped, by the footer alone", target=h.timeouts.reply):
            await _mail(h, one, Letter("", encoding="quoted-printable", quoted=one.last.quoted()))
        with h.step("4 each reply belongs to its mail, its thread and its preview"):
            for thread, foreign in ((one, other), (other, one)):
                for exchange in thread.exchanges:
                    _verify_reply(h, exchange, thread, foreign)
        with h.step("5 each thread has one session, its own commits and pages"):
            rows = await h.sessions.rows_of(one.opened.client_id, user)
            h.checks.same(
                [(row.thread_id, row.session_id) for row in rows],
                [(thread.conversation, thread.opened.session_id) for thread in (one, other)],
                f"the threads and sessions of {user}",
            )
            for thread, foreign in ((one, other), (other, one)):
                await _verify_commits(h, thread, foreign)
                await _verify_pages(h, thread, foreign)
    with h.step("6 ended, it goes back to zero", target=h.timeouts.idle_shutdown):
        await end_at_zero(h, one.opened, other.opened)
    with h.step("7 each mail had one reply, and there was no other"):
        h.checks.same(
            [reply.in_reply_to for reply in h.mail.replies(user)],
            [exchange.mail.message_id for thread in (one, other) for exchange in thread.exchanges],
            f"what {user} got replies to",
        )


async def _first(h: Harness, thread: Thread, letter: Letter, visits: AsyncExitStack) -> None:
    """Send the first mail of a thread; after its reply the thread's preview is kept open."""
    __tracebackhide__ = True
    await _mail(h, thread, letter)
    conversation = facts.conversation_id(thread.last.message)
    h.check(conversation, "the reply to name its conversation", seen=facts.body_text(thread.last.message))
    thread.conversation = str(conversation)
    rows = await h.sessions.rows_of(h.settings.test_data.client_id, thread.user)
    of_thread = [row for row in rows if row.thread_id == conversation]
    h.checks.equal(len(of_thread), 1, f"the number of sessions of thread {conversation}")
    thread.session = h.sessions.adopt(of_thread[0], thread.markers[0])
    await visits.enter_async_context(h.visiting(thread.session))


async def _mail(h: Harness, thread: Thread, letter: Letter) -> None:
    """Send a mail of the thread that asks for another page, and wait for its reply."""
    __tracebackhide__ = True
    marker = h.new_marker()
    instruction = f'{facts.add_page(_title(marker))} with "{_WORDS}"'
    letter = replace(letter, text=f"Hello,\n\n{instruction}\n\nThank you,\nZoë")
    to = h.system.address_for(h.settings.test_data.client_id)
    sent = await h.mail.send(letter, sender=thread.user, to=to, marker=marker)
    await h.mail.wait_for_receipt(sent, within=h.timeouts.wake)
    thread.exchanges.append(Exchange(letter, sent, await h.wait_for_reply(sent)))


def _verify_reply(h: Harness, exchange: Exchange, thread: Thread, foreign: Thread) -> None:
    __tracebackhide__ = True
    reply, mail, body = exchange.reply, exchange.mail, facts.body_text(exchange.reply.message)
    h.checks.equal(_as_written(reply, "In-Reply-To"), mail.message_id, "In-Reply-To of the reply")
    chain = [*exchange.letter.headers.get("References", "").split(), mail.message_id]
    h.checks.equal(_as_written(reply, "References").split(), chain, "References of the reply")
    expected = mail.subject if mail.subject.startswith("Re: ") else f"Re: {mail.subject}"
    h.checks.equal(str(reply.message["Subject"]), expected, "the reply's subject")
    h.checks.equal(facts.conversation_id(reply.message), thread.conversation, "the conversation id of the reply")
    h.check(thread.opened.preview_url in body, f"the reply to name the preview {thread.opened.preview_url}", seen=body)
    others = [word for word in (foreign.opened.preview_url, foreign.conversation, *foreign.markers) if word in body]
    h.checks.equal(others, [], f"what the reply says of thread {foreign.name}")
    h.check(mail.marker in body, f"the reply to say what was done for {mail.marker}", seen=body)


async def _verify_commits(h: Harness, thread: Thread, foreign: Thread) -> None:
    """Check that the thread's branch has one commit for each of its mails, in order, and no others."""
    __tracebackhide__ = True
    row = await h.verify_session_exists(thread.opened)
    log = await h.repositories.git(thread.opened, f'log --reverse --format=%s "{row.edit_branch}" --')
    known = [*thread.markers, *foreign.markers]
    found = [marker for line in log.splitlines() for marker in known if marker in line]
    h.checks.equal(found, thread.markers, f"the markers in the commits of thread {thread.name}")


async def _verify_pages(h: Harness, thread: Thread, foreign: Thread) -> None:
    """Check that the thread's pages show its mails' exact words and the other's pages are absent."""
    __tracebackhide__ = True
    for exchange in thread.exchanges:
        answer = await h.fetch_preview(thread.opened, facts.slug(_title(exchange.mail.marker)))
        h.checks.equal(answer.status, 200, f"the status of {answer.url}")
        h.check(_WORDS.strip() in answer.body, f"the words of the mail in {answer.url}", seen=answer.body)
    for marker in foreign.markers:
        answer = await h.fetch_preview(thread.opened, facts.slug(_title(marker)))
        h.checks.equal(answer.status, 404, f"the status of {answer.url}, a page of thread {foreign.name}")


def _as_written(reply: Reply, name: str) -> str:
    """The raw header: mail programs do not look for message ids in encoded words."""
    return "".join(str(value) for header, value in reply.message.raw_items() if header.lower() == name.lower()).strip()


def _title(marker: str) -> str:
    return f"Thread Page {marker}"


def _in_reply_to(reply: Reply) -> dict[str, str]:
    """The headers that a mail program gives an answer."""
    references = f"{reply.message['References']} {reply.message_id}"
    return {"In-Reply-To": reply.message_id, "References": " ".join(references.split())}
