"""Mail: sent letters, and replies by recipient."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kit import START, a_context
from webordinary_testkit.kit.core.errors import Bounced, WaitExpired
from webordinary_testkit.kit.core.history import OK
from webordinary_testkit.kit.harness.context import Context
from webordinary_testkit.kit.harness.letter import Letter
from webordinary_testkit.kit.harness.mail import Mail
from webordinary_testkit.kit.harness.mailbox import Mailbox, notification_in
from webordinary_testkit.kit.system import facts


def reply_to(address: str, *, in_reply_to: str = "<1@x>", ses_id: str = "s1", raw: str = "") -> str:
    """A message of the replies queue."""
    if not raw:
        reply = email.message.EmailMessage(policy=email.policy.SMTP)
        reply["From"], reply["To"], reply["Subject"] = "edit@it.test", address, "Re: hi"
        reply["Date"], reply["Message-ID"] = "Fri, 15 Jan 2027 08:00:00 +0000", "<reply@it.test>"
        reply["In-Reply-To"] = reply["References"] = in_reply_to
        reply.set_content("Done.\n\nConversation ID: t\n")
        reply.add_alternative("<p>Done.</p><p>Conversation ID: t</p>", subtype="html")
        raw = reply.as_string()
    at = "2027-01-15T08:00:00.000Z"
    notification = {
        "notificationType": "Received",
        "mail": {"timestamp": at, "source": "edit@it.test", "messageId": ses_id, "destination": [address]},
        "receipt": {"timestamp": at, "recipients": [address], "action": {"type": "SNS"}},
        "content": raw,
    }
    envelope = {"Type": "Notification", "MessageId": "n1", "TopicArn": "arn:aws:sns:x:1:replies", "Timestamp": at}
    return json.dumps(envelope | {"Message": json.dumps(notification)})


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_what_is_written_is_what_can_be_read(instruction: str) -> None:
    wire = Letter(instruction).wire(sender="a@x", to="b@y", message_id="<1@x>", at=START)
    read = email.message_from_bytes(wire, policy=email.policy.default)
    assert read.get_content().rstrip("\r\n") == instruction.rstrip("\r\n")
    assert wire.isascii()


def test_a_reply_goes_to_the_box_of_its_recipient() -> None:
    box = Mailbox()
    box.claim("You@clients.it.test")
    assert box.put(reply_to("you@clients.it.test"))
    assert [reply.in_reply_to for reply in box.of("you@CLIENTS.it.test")] == ["<1@x>"]
    assert box.of("you@clients.it.test")[0].sent == START


def test_a_mail_for_an_unclaimed_address_is_not_kept() -> None:
    assert Mailbox().put(reply_to("stranger@clients.it.test")) is None


def test_a_queue_that_delivers_twice_makes_no_second_reply() -> None:
    box = Mailbox()
    box.claim("you@x")
    box.put(reply_to("you@x"))
    box.put(reply_to("you@x"))
    assert len(box.of("you@x")) == 1
    box.put(reply_to("you@x", ses_id="s2"))
    assert len(box.of("you@x")) == 2


@pytest.mark.parametrize("body", ["", "{}", '{"Message": "{}"}', '{"Message": "{\\"content\\": 3}"}'])
def test_what_is_no_notification_is_an_error_that_shows_it(body: str) -> None:
    with pytest.raises(ValueError, match="no SES notification"):
        notification_in(body)


class Queue:
    """A replies queue that hands out these messages, then stays empty."""

    def __init__(self, *bodies: str) -> None:
        self.bodies = list(bodies)
        self.kept: list[str] = []
        self.deleted: list[str] = []
        self.both_deleted = asyncio.Event()

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        await asyncio.sleep(0)
        if operation == "delete_message":
            self.deleted.append(params["ReceiptHandle"])
            if len(self.deleted) == 2:
                self.both_deleted.set()
        elif operation == "change_message_visibility":
            self.kept.append(params["ReceiptHandle"])
        elif self.bodies:
            body = self.bodies.pop(0)
            message = {"Body": body, "MessageId": body, "ReceiptHandle": f"handle-{len(self.bodies)}"}
            return {"Messages": [message]}
        return {}


class Door:
    async def send(self, message: bytes, sender: str, recipients: list[str]) -> None:
        return None


async def test_the_reader_takes_its_own_replies_and_leaves_the_others_in_the_queue() -> None:
    context = a_context(queue := Queue(reply_to("stranger@x")), mail=Door())
    mail = Mail(context, Mailbox())
    sent = await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    queue.bodies.append(reply_to("you@x", in_reply_to="<another@x>"))
    queue.bodies.append(reply_to("you@x", in_reply_to=sent.message_id, ses_id="s2"))
    reply = await mail.wait_for_reply(sent, within=60)
    async with asyncio.timeout(5):
        await queue.both_deleted.wait()
    await mail.close()
    assert reply.in_reply_to == sent.message_id
    assert len(queue.kept) == 1
    assert len(mail.replies("you@x")) == 2


def noted(context: Context) -> list[tuple[str, str, str]]:
    return [
        (event.name, event.touches["user"], event.touches["message"])
        for event in context.history.events()
        if event.type == OK and event.name in ("reply", "bounce")
    ]


async def test_every_reply_is_recorded_once_also_one_without_a_wait() -> None:
    context = a_context(queue := Queue(), mail=Door())
    mail = Mail(context, Mailbox())
    sent = await mail.send(Letter("Add"), sender="You@x", to="edit@it.test", marker="m")
    stray = reply_to("you@x", in_reply_to="<another@x>", ses_id="s3")
    again = reply_to("you@x", in_reply_to=sent.message_id, ses_id="s2")
    queue.bodies += [
        reply_to("you@x", in_reply_to=sent.message_id),
        again,
        again,
        reply_to("stranger@x", ses_id="s4"),
        stray,
    ]
    await mail.settle()
    await mail.close()
    assert noted(context) == [
        ("reply", "you@x", sent.message_id),
        ("reply", "you@x", sent.message_id),
        ("reply", "you@x", "<another@x>"),
    ]
    assert [event.step for event in context.history.events() if event.name == "reply"] == [""] * 6


async def test_it_settles_only_after_a_look_that_began_later_and_found_nothing_new() -> None:
    context = a_context(queue := Queue(), mail=Door())
    mail = Mail(context, Mailbox())
    await mail.settle()
    sent = await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    for number in range(5):
        queue.bodies.append(reply_to("you@x", in_reply_to=sent.message_id, ses_id=f"s{number}"))
    await mail.settle()
    assert len(mail.replies("you@x")) == 5
    queue.bodies.append(reply_to("you@x", in_reply_to=sent.message_id, ses_id="late"))
    await mail.settle()
    assert len(mail.replies("you@x")) == 6
    await mail.close()


async def test_a_foreign_mail_that_comes_again_and_again_does_not_keep_it_from_settling() -> None:
    mail = Mail(a_context(queue := Queue(), mail=Door()), Mailbox())
    await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    queue.bodies += [reply_to("stranger@x")] * 1000
    await mail.settle()
    await mail.close()
    assert queue.bodies


async def test_an_error_of_the_reader_is_raised_at_the_end_too() -> None:
    mail = Mail(a_context(Queue("no notification"), mail=Door()), Mailbox())
    await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    with pytest.raises(ValueError, match="no SES notification"):
        await mail.settle()
    await mail.close()


async def test_settled_is_a_mailbox_whose_replies_are_off_the_queue() -> None:
    class Slow(Queue):
        async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
            if operation == "delete_message":
                deleting.set()
                await let_go.wait()
            return await super().call(service, operation, **params)

    deleting, let_go = asyncio.Event(), asyncio.Event()
    mail = Mail(a_context(queue := Slow(), mail=Door()), Mailbox())
    await mail.settle()
    sent = await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    queue.bodies.append(reply_to("you@x", in_reply_to=sent.message_id))
    await mail.wait_for_reply(sent, within=60)
    async with asyncio.timeout(5):
        await deleting.wait()
        settling = asyncio.create_task(mail.settle())
        await asyncio.sleep(0)
        assert not settling.done()
        let_go.set()
        await settling
    assert len(queue.deleted) == 1
    await mail.close()


async def test_an_error_of_the_reader_ends_a_wait() -> None:
    mail = Mail(a_context(Queue("no notification"), mail=Door()), Mailbox())
    sent = await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    with pytest.raises(ValueError, match="no SES notification"):
        await mail.wait_for_reply(sent, within=60)
    await mail.close()


async def test_a_bounce_ends_every_wait_at_once_with_its_reason() -> None:
    mail = Mail(a_context(queue := Queue(), mail=Door()), Mailbox())
    sent = await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    report = f"""Content-Type: multipart/report; boundary=b

--b
Content-Type: text/plain

552 Message too big
--b
Content-Type: text/rfc822-headers

Message-ID: {sent.message_id}
--b--
"""
    queue.bodies.append(reply_to("you@x", raw=report))
    with pytest.raises(Bounced, match="552 Message too big"):
        await mail.wait_for_reply(sent, within=60)
    await mail.close()


async def test_a_reply_that_never_comes_ends_the_wait() -> None:
    mail = Mail(a_context(Queue(), mail=Door()), Mailbox())
    sent = await mail.send(Letter("Add"), sender="you@x", to="edit@it.test", marker="m")
    with pytest.raises(WaitExpired, match="a reply to <"):
        await mail.wait_for_reply(sent, within=5)
    await mail.close()


def test_the_conversation_id_is_found_in_text_and_in_html() -> None:
    for text in ("Done.\n\n--\nConversation ID: thread-abc\n", "<p>Done</p><p>Conversation ID: thread-abc</p>"):
        message = email.message_from_string(f"Content-Type: text/html\n\n{text}", policy=email.policy.default)
        assert facts.conversation_id(message) == "thread-abc"


def test_the_address_contains_the_client_unless_it_is_the_default() -> None:
    where = a_context().system
    assert where.address_for("test-client") == "edit@it.test"
    assert where.address_for("acme") == "edit+acme@it.test"


def test_pages_have_the_names_of_the_contract() -> None:
    assert facts.page_file("Test Page") == "src/pages/test-page.astro"
    assert facts.project_path("test-client", "test@example.com", facts.page_file("Test Page")) == (
        "$WORKSPACE_PATH/test-client/test/project/src/pages/test-page.astro"
    )
