"""Mail by SES: ids that SES gives, refusals, and a mail that comes twice."""

from __future__ import annotations

import email
import email.policy
import json
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from tests.support.kit import ManualClock, ScriptedAws, a_stack
from webordinary_testkit.kit.aws.client import Aws
from webordinary_testkit.kit.backends.interface import MailRefused
from webordinary_testkit.kit.backends.live.mail import SesTransport, id_domain
from webordinary_testkit.kit.harness.mailbox import notification_in
from webordinary_testkit.kit.system import contract

RAW = b"From: zoe@clients.it.test\r\nTo: edit@it.test\r\nSubject: Hi\r\nMessage-ID: <mine@x>\r\n\r\nAdd a page\r\n"
SENT = ("zoe@clients.it.test", ["edit@it.test"])


def door(aws: ScriptedAws, region: str = "us-west-2") -> SesTransport:
    return SesTransport(cast(Aws, aws), a_stack(), ManualClock(), region)


async def test_a_mail_travels_under_the_id_that_ses_gave_it() -> None:
    aws = ScriptedAws({("ses", "send_raw_email"): lambda **_: {"MessageId": "0101-1"}})
    assert await door(aws).send(RAW, *SENT) == "<0101-1@us-west-2.amazonses.com>"
    sent = aws.called("send_raw_email")[0]
    assert sent == {"Source": SENT[0], "Destinations": SENT[1], "RawMessage": {"Data": RAW}}
    assert id_domain("us-east-1") == "email.amazonses.com"


async def test_what_ses_rejects_is_refused_and_what_it_throttles_is_open() -> None:
    def fails(code: str) -> ScriptedAws:
        def refuse(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "SendRawEmail")

        return ScriptedAws({("ses", "send_raw_email"): refuse})

    with pytest.raises(MailRefused, match="554 no"):
        await door(fails("MessageRejected")).send(RAW, *SENT)
    with pytest.raises(ClientError, match="Throttling"):
        await door(fails("Throttling")).send(RAW, *SENT)


async def test_nobody_but_the_stack_gets_mail() -> None:
    with pytest.raises(MailRefused, match=r"<a@b\.test>"):
        await door(ScriptedAws()).send(RAW, SENT[0], ["a@b.test"])


async def test_the_same_mail_again_is_what_the_queue_had_before() -> None:
    aws = ScriptedAws({("sqs", "send_message"): lambda **_: {"MessageId": "1"}})
    await door(aws).again(RAW, *SENT, "<0101-1@us-west-2.amazonses.com>")
    sent = aws.called("send_message")[0]
    assert sent["QueueUrl"] == a_stack().inbound_queue_url
    contract.check_message(sent["MessageBody"], "inbound")
    notification = notification_in(sent["MessageBody"])
    again = email.message_from_string(notification["content"], policy=email.policy.default)
    assert again.get_all("Message-ID") == ["<0101-1@us-west-2.amazonses.com>"]
    assert (again["From"], again["Subject"], again.get_content().strip()) == (SENT[0], "Hi", "Add a page")
    assert json.loads(sent["MessageBody"])["Type"] == "Notification"
