"""Mails through Hermes: one reply each, whatever is delivered twice, thrown at it, or killed half-way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest

from tests.support.hermes import HermesWorld, hermes_world
from tests.support.letters import ANN, message, notification
from tests.support.system import REGION, until
from webordinary_testkit.emulation.system.aws import Aws
from webordinary_testkit.emulation.system.hermes import consumer, inbox, reply_limit
from webordinary_testkit.emulation.system.hermes.inbox import Inbox
from webordinary_testkit.emulation.system.hermes.instructions import Outcome
from webordinary_testkit.emulation.system.hermes.replies import Replies, Reply
from webordinary_testkit.emulation.system.hermes.reply_limit import ReplyLimit
from webordinary_testkit.emulation.system.hermes.secret import Secret
from webordinary_testkit.emulation.system.ids import Ids, derived
from webordinary_testkit.emulation.system.table import Table

WANTED = 'Add a page called "Hello"'


@pytest.fixture
async def hermes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HermesWorld]:
    async with hermes_world(monkeypatch) as made:
        yield made


@pytest.fixture
async def resting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HermesWorld]:
    """Everything but Hermes itself."""
    async with hermes_world(monkeypatch, start=False) as made:
        yield made


async def replied(hermes: HermesWorld, count: int = 1) -> list[EmailMessage]:
    """The replies, once so many are there and nothing is left in the queue; and no more than that."""
    await until(hermes.replies, lambda replies: len(replies) >= count)
    await until(hermes.waiting, lambda waiting: waiting == 0)
    replies = hermes.replies()
    assert len(replies) == count
    return replies


def text_of(reply: EmailMessage) -> str:
    body = reply.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_a_mail_opens_a_session_is_worked_and_answered(hermes: HermesWorld) -> None:
    hermes.edit.up = False
    await hermes.mail(WANTED)
    (reply,) = await replied(hermes)
    (row,) = await hermes.rows()
    (work,) = hermes.edit.works
    assert (work["clientId"], work["userId"], work["instruction"]) == ("acme", ANN, WANTED)
    assert row["status"] == "active"
    assert (reply["To"], reply["Subject"], reply["In-Reply-To"]) == (ANN, "Re: The site", "<first@clients.example.org>")
    assert f"Conversation ID: {row['threadId']}" in text_of(reply)
    assert row["previewUrl"] in text_of(reply)
    assert [item["state"] for item in await hermes.rows("mails")] == ["replied"]


async def test_three_mails_of_a_thread_and_another_thread_between_them(hermes: HermesWorld) -> None:
    await hermes.mail("create page A", Message_ID="<1@x>")
    (first,) = await replied(hermes)
    await hermes.mail("create page X", Message_ID="<x@x>", Subject="Other")
    quoted = "".join(f"> {line}\n" for line in text_of(first).splitlines())
    await hermes.mail(f"create page B\n\nOn Mon, W wrote:\n{quoted}", Message_ID="<2@x>")
    await replied(hermes, 3)
    # The third one quotes nothing, and SES gave our reply an id of its own: only the references are left.
    reply_id = str(first["Message-ID"])
    await hermes.mail("create page C", Message_ID="<3@x>", In_Reply_To=reply_id, References=f"<1@x> {reply_id}")
    replies = await replied(hermes, 4)
    threads = {work["instruction"].split("\n")[0][-1]: work["threadId"] for work in hermes.edit.works}
    assert threads["A"] == threads["B"] == threads["C"] != threads["X"]
    assert len(await hermes.rows()) == 2
    assert sorted(str(reply["In-Reply-To"]) for reply in replies) == ["<1@x>", "<2@x>", "<3@x>", "<x@x>"]


async def test_the_same_mail_delivered_again_is_answered_once(hermes: HermesWorld) -> None:
    for _ in range(3):
        await hermes.mail(WANTED)
    await replied(hermes)
    await hermes.mail(WANTED)
    await until(hermes.waiting, lambda waiting: waiting == 0)
    await replied(hermes)
    assert len(hermes.edit.works) == 1
    assert len(await hermes.rows()) == 1


async def test_a_message_id_of_somebody_else_hides_nobodys_mail(hermes: HermesWorld) -> None:
    await hermes.mail(WANTED)
    await hermes.mail("create page B", From="bob@clients.example.org")
    await replied(hermes, 2)


async def test_an_instruction_that_cannot_be_done_is_answered_with_the_reason(hermes: HermesWorld) -> None:
    hermes.edit.answer = lambda work: (422, {"statusCode": 422, "message": "I do not understand line 1: bake"})
    await hermes.mail("bake")
    (reply,) = await replied(hermes)
    assert "I do not understand line 1: bake" in text_of(reply)
    assert "Conversation ID:" in text_of(reply)


async def test_a_mail_without_words_is_answered_and_opens_nothing(hermes: HermesWorld) -> None:
    await hermes.mail("\n", Subject="Re: x")
    (reply,) = await replied(hermes)
    assert "no instruction" in text_of(reply)
    assert await hermes.rows() == []


async def test_a_sender_whose_name_cannot_be_a_folder_is_told(hermes: HermesWorld) -> None:
    await hermes.mail(WANTED, From="a$(id)/b@clients.example.org")
    (reply,) = await replied(hermes)
    assert "userId must be an address" in text_of(reply)
    assert await hermes.rows() == []
    assert not hermes.edit.works


async def test_the_client_is_in_the_address(hermes: HermesWorld) -> None:
    receipt = {"recipients": ["edit+other@it.example.com"], "action": {"type": "SNS"}}
    await hermes.send(notification(message(WANTED), receipt=receipt))
    await replied(hermes)
    assert hermes.edit.works[0]["clientId"] == "other"


async def test_a_client_that_leads_elsewhere_is_refused(hermes: HermesWorld) -> None:
    receipt = {"recipients": ["edit+../../x@it.example.com"], "action": {"type": "SNS"}}
    await hermes.send(notification(message(WANTED), receipt=receipt))
    (reply,) = await replied(hermes)
    assert "clientId must be" in text_of(reply)
    assert not hermes.edit.works


@pytest.mark.parametrize("header", ["Auto_Submitted", "Precedence"])
async def test_what_a_machine_wrote_is_not_answered(hermes: HermesWorld, header: str) -> None:
    await hermes.mail(WANTED, **{header: "bulk" if header == "Precedence" else "auto-replied"})
    await until(hermes.waiting, lambda waiting: waiting == 0)
    assert hermes.replies() == []
    assert await hermes.rows() == []


async def test_a_malformed_message_goes_to_the_dead_letters_and_blocks_nobody(hermes: HermesWorld) -> None:
    await hermes.send("junk")
    await hermes.send(json.dumps({"Type": "Notification", "Message": "{}"}))
    await hermes.mail(WANTED)
    await until(hermes.replies)
    await until(lambda: hermes.waiting("dead"), lambda dead: dead == 2)
    await replied(hermes)


async def test_a_mail_in_s3_is_fetched(hermes: HermesWorld) -> None:
    where = {"LocationConstraint": "us-west-2"}
    await hermes.call("s3", "CreateBucket", Bucket="mails", CreateBucketConfiguration=where)
    await hermes.call("s3", "PutObject", Bucket="mails", Key="in/1", Body=message(WANTED))
    receipt = {"recipients": [], "action": {"type": "S3", "bucketName": "mails", "objectKey": "in/1"}}
    await hermes.send(notification(b"", content=None, receipt=receipt))
    await replied(hermes)


async def test_slow_mails_do_not_hold_up_others_and_threads_keep_their_order(hermes: HermesWorld) -> None:
    hermes.edit.gate.clear()
    await hermes.mail("create page A", Message_ID="<1@x>", In_Reply_To="<thread-t1@x>")
    await until(lambda: hermes.edit.works)
    await hermes.mail("create page B", Message_ID="<2@x>", In_Reply_To="<thread-t1@x>")
    await hermes.mail("create page C", Message_ID="<3@x>", In_Reply_To="<thread-t2@x>")
    await until(lambda: len(hermes.edit.works) == 2)
    assert [work["instruction"] for work in hermes.edit.works] == ["create page A", "create page C"]
    hermes.edit.gate.set()
    await replied(hermes, 3)
    assert hermes.edit.works[-1]["instruction"] == "create page B"


async def test_a_long_work_keeps_its_message(resting: HermesWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "VISIBILITY", 60)
    monkeypatch.setattr(consumer, "RENEW", 10.0)
    resting.edit.gate.clear()
    async with resting.running() as hermes:
        await resting.mail(WANTED)
        await until(lambda: resting.edit.works)
        began = resting.settings.clock.now()
        await until(lambda: resting.settings.clock.now() - began > 100)
        assert len(hermes.consumer._tasks) == 1
        resting.edit.gate.set()
        await replied(resting)


# ---- The memory of mails


@pytest.fixture
async def memories(resting: HermesWorld) -> AsyncIterator[tuple[Inbox, Inbox]]:
    """Two Hermes' views of one table."""
    aws = Aws(resting.settings.clock, Ids(), region=REGION, threads=4)
    table = Table(aws, "mails", key="messageId")
    yield Inbox(table, resting.settings.clock, "one"), Inbox(table, resting.settings.clock, "other")
    aws.close()


async def test_a_mail_in_hand_is_waited_for_and_not_taken(
    memories: tuple[Inbox, Inbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LEASE", 6000)  # on a fast clock and a busy machine the usual one runs out in between
    one, other = memories
    assert (await one.claim("m", "t")).state == "received"
    waiting = asyncio.create_task(other.claim("m", "t"))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    assert await one.worked("m", "s1", Outcome(True, "done"))
    await one.replied("m", "r1")
    entry = await asyncio.wait_for(waiting, 10)
    assert (entry.state, entry.session_id, entry.outcome) == ("replied", "s1", Outcome(True, "done"))


async def test_a_mail_of_a_hermes_that_died_is_taken_over(
    memories: tuple[Inbox, Inbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "LEASE", 6)
    one, other = memories
    await one.claim("m", "t")
    assert await one.worked("m", "s1", Outcome(True, "done"))
    entry = await asyncio.wait_for(other.claim("m", "t"), 10)
    assert (entry.state, entry.outcome) == ("worked", Outcome(True, "done"))
    assert not await one.worked("m", "s1", Outcome(True, "again"))


async def test_a_renewed_lease_does_not_run_out(memories: tuple[Inbox, Inbox], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "LEASE", 30)
    one, other = memories
    await one.claim("m", "t")
    waiting = asyncio.create_task(other.claim("m", "t"))
    for _ in range(6):
        await one.renew("m")
        done, _ = await asyncio.wait([waiting], timeout=0.15)
        assert not done
    await one.release("m")
    assert (await asyncio.wait_for(waiting, 10)).state == "received"


async def test_the_thread_of_a_remembered_mail_is_known(memories: tuple[Inbox, Inbox]) -> None:
    one, other = memories
    await one.claim("m", "t1")
    assert await other.thread_of(["unknown", "m"]) == "t1"
    assert await other.thread_of(["unknown"]) is None


# ---- Killed half-way: VISIBILITY passes, and the next Hermes goes on


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages come back, and leases run out, after 20 AWS seconds; a third of a wall second."""
    monkeypatch.setattr(consumer, "VISIBILITY", 20)
    monkeypatch.setattr(consumer, "RENEW", 5.0)
    monkeypatch.setattr(inbox, "LEASE", 18)


@pytest.mark.usefixtures("impatient")
async def test_killed_before_the_work_was_done(resting: HermesWorld) -> None:
    resting.edit.gate.clear()
    async with resting.running(finish=False):
        await resting.mail(WANTED)
        await until(lambda: resting.edit.works)
    resting.edit.gate.set()
    async with resting.running():
        await replied(resting)
    assert len({work["workId"] for work in resting.edit.works}) == 1
    assert len(await resting.rows()) == 1


@pytest.mark.usefixtures("impatient")
async def test_killed_between_the_work_and_the_reply(resting: HermesWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    never = asyncio.Event()

    async def hang(self: Replies, reply: object) -> str:
        await never.wait()
        return ""

    send = Replies.send
    monkeypatch.setattr(Replies, "send", hang)
    async with resting.running(finish=False):
        await resting.mail(WANTED)
        await until(lambda: resting.rows("mails"), lambda mails: [m["state"] for m in mails] == ["worked"])
    monkeypatch.setattr(Replies, "send", send)
    async with resting.running():
        (reply,) = await replied(resting)
    assert "did Add a page" in text_of(reply)
    assert len(resting.edit.works) == 1


@pytest.mark.usefixtures("impatient")
async def test_killed_between_the_reply_and_the_delete(resting: HermesWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async with resting.running(finish=False):
        resting.refused |= {"delete_message", "change_message_visibility"}
        await resting.mail(WANTED)
        await until(lambda: resting.rows("mails"), lambda mails: [m["state"] for m in mails] == ["replied"])
    resting.refused.clear()
    async with resting.running():
        await replied(resting)
    assert len(resting.edit.works) == 1


@pytest.mark.usefixtures("impatient")
async def test_stopped_in_the_middle_it_gives_the_mail_back_at_once(
    resting: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "VISIBILITY", 3600)
    monkeypatch.setattr(inbox, "LEASE", 3600)
    resting.edit.gate.clear()
    async with resting.running():
        await resting.mail(WANTED)
        await until(lambda: resting.edit.works)
    resting.edit.gate.set()
    async with resting.running():
        await replied(resting)


async def test_two_hermes_answer_a_mail_that_is_delivered_to_both_once(resting: HermesWorld) -> None:
    async with resting.running(), resting.running():
        for _ in range(4):
            await resting.mail(WANTED)
        await replied(resting)
    assert len(resting.edit.works) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("operation", ["put_item", "update_item", "query", "send_email"])
async def test_a_throttled_mail_is_tried_again_and_answered_once(
    hermes: HermesWorld, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    monkeypatch.setattr(consumer, "LATER", 5)
    hermes.refused.add(operation)
    await hermes.mail(WANTED)
    await until(hermes.waiting, lambda waiting: waiting == 1)
    began = hermes.settings.clock.now()
    await until(lambda: hermes.settings.clock.now() - began > 10)
    assert hermes.replies() == []
    hermes.refused.clear()
    await replied(hermes)
    assert len(await hermes.rows()) == 1
    assert len({work["workId"] for work in hermes.edit.works}) == 1


@pytest.mark.usefixtures("impatient")
async def test_a_reply_is_sent_once_although_its_record_is_refused(
    hermes: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB throttles from the moment at which SES has taken the reply."""
    send = Replies.send

    async def send_and_throttle(replies: Replies, reply: Reply) -> str:
        reply_id = await send(replies, reply)
        hermes.refused.add("update_item")
        return reply_id

    monkeypatch.setattr(Replies, "send", send_and_throttle)
    monkeypatch.setattr(consumer, "LATER", 5)
    await hermes.mail(WANTED)
    await until(hermes.replies)
    began = hermes.settings.clock.now()
    await until(lambda: hermes.settings.clock.now() - began > 60)
    monkeypatch.setattr(Replies, "send", send)
    hermes.refused.clear()
    await replied(hermes)
    assert [item["state"] for item in await hermes.rows("mails")] == ["replied"]


async def test_a_mail_that_lost_its_lease_is_not_answered_by_the_one_who_lost_it(resting: HermesWorld) -> None:
    async with resting.running() as hermes:
        mail_handler = hermes.consumer._handler
        taken = Inbox(mail_handler._inbox._table, resting.settings.clock, "another")  # type: ignore[attr-defined]  # a look inside
        resting.edit.gate.clear()
        await resting.mail(WANTED)
        await until(lambda: resting.edit.works)
        (item,) = await resting.rows("mails")
        await taken._table.update({"messageId": item["messageId"]}, {"owner": "another", "leaseUntil": 10**12})
        resting.edit.gate.set()
        await until(resting.rows, lambda rows: rows[0]["status"] == "active")
        assert resting.replies() == []
    assert [item["state"] for item in await resting.rows("mails")] == ["received"]


async def test_the_ids_of_a_thread_and_a_session_cannot_be_guessed_from_the_mail(hermes: HermesWorld) -> None:
    await hermes.mail(WANTED, Message_ID="<guess@x>")
    await replied(hermes)
    (row,) = await hermes.rows()
    key = f"<guess@x> {ANN}"
    guessed = derived("thread", key)
    assert row["threadId"] != guessed
    assert not row["sessionId"].endswith(derived("session", "acme", ANN, guessed, ""))
    assert not row["sessionId"].endswith(derived("session", "acme", ANN, row["threadId"], ""))


async def test_every_hermes_of_a_deployment_derives_the_same_ids(resting: HermesWorld) -> None:
    aws = Aws(resting.settings.clock, Ids(), region=REGION)
    secrets = [Secret(Table(aws, resting.settings.mail_table, key="messageId"), Ids()) for _ in range(4)]
    ids = await asyncio.gather(*(secret.derived("thread", "x") for secret in secrets))
    assert len(set(ids)) == 1
    assert await secrets[0].derived("thread", "y") != ids[0] != await secrets[0].derived("threa", "dx")
    aws.close()


async def test_a_robot_that_answers_every_reply_is_answered_so_often_and_no_more(
    hermes: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_limit, "MOST", 3)
    thread = "Conversation ID: robot-1"
    for number in range(5):
        await hermes.mail(f"{WANTED}\n\n{thread}", Message_ID=f"<{number}@robot>")
    await replied(hermes, 3)
    await hermes.mail(f"{WANTED}\n\nConversation ID: another-1", Message_ID="<other@robot>")
    replies = await replied(hermes, 4)
    assert replies[-1]["In-Reply-To"] == "<other@robot>"
    assert len(hermes.edit.works) == 4


async def test_after_the_window_a_thread_is_answered_again(
    resting: HermesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_limit, "MOST", 1)
    monkeypatch.setattr(reply_limit, "WINDOW", 100)
    aws = Aws(resting.settings.clock, Ids(), region=REGION)
    limit = ReplyLimit(Table(aws, resting.settings.mail_table, key="messageId"), resting.settings.clock)
    assert [await limit.allows(ANN, "t") for _ in range(3)] == [True, False, False]
    assert await limit.allows(ANN, "another")
    await resting.settings.clock.sleep(101)
    assert await limit.allows(ANN, "t")
    aws.close()
