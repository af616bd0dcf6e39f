"""The contract: what is kept is taken, what is missing, renamed or in another unit is told with its hop."""

from __future__ import annotations

import email.policy
import json
from email.message import EmailMessage
from typing import Any

import pytest

from webordinary_testkit.kit.system.contract import ContractBroken, check_answer, check_message, check_reply, check_row

ALB = "http://alb.test"
STATUS = f"{ALB}/hermes/api/sessions/TEST_1/status"
NOW = 1_800_000_000


def a_status(**changes: Any) -> dict[str, Any]:
    told = {"status": "active", "containerIp": "", "lastActivity": "2027-01-15T08:00:00.000Z", "previewUrl": f"{ALB}/x"}
    return told | changes


def an_item(**changes: Any) -> dict[str, Any]:
    texts = {"sessionId": "TEST_1", "userId": "u@x.test", "clientId": "c", "threadId": "t", "status": "active"}
    item: dict[str, Any] = {name: {"S": value} for name, value in texts.items()}
    item |= {"createdAt": {"S": "2027-01-15T08:00:00.000Z"}, "previewUrl": {"S": f"{ALB}/session/TEST_1"}}
    item |= {"lastActivity": {"N": str(NOW * 1000)}, "ttl": {"N": str(NOW + 1800)}}
    item |= {"editBranch": {"S": "thread-t"}, "fargateTaskArn": {"S": "arn:task"}, "containerIp": {"S": "10.0.0.7"}}
    return {name: value for name, value in (item | changes).items() if value is not None}


def a_notification(**changes: Any) -> dict[str, Any]:
    at = "2027-01-15T08:00:00.000Z"
    mail = {"timestamp": at, "source": "u@x.test", "messageId": "m", "destination": ["edit@it.test"]}
    receipt = {"timestamp": at, "recipients": ["edit@it.test"], "action": {"type": "SNS"}}
    return {"notificationType": "Received", "mail": mail, "receipt": receipt, "content": "From: u\r\n\r\n"} | changes


def an_envelope(notification: object, **changes: Any) -> str:
    told = {"Type": "Notification", "MessageId": "s", "TopicArn": "arn:t", "Timestamp": "2027-01-15T08:00:00.000Z"}
    return json.dumps(told | {"Message": json.dumps(notification)} | changes)


def a_reply(footer: str = "Conversation ID: t-1", **headers: str) -> EmailMessage:
    message = EmailMessage(policy=email.policy.default)
    usual = {
        "From": "edit@it.test",
        "To": "u@x.test",
        "Subject": "Re: hello",
        "Date": "Fri, 15 Jan 2027 08:00:00 +0000",
        "Message-ID": "<r@it.test>",
        "In-Reply-To": "<m@x.test>",
        "References": "<a@x.test> <m@x.test>",
    }
    for name, value in (usual | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            message[name] = value
    message.set_content(f"Done\n\n{footer}\n")
    message.add_alternative(f"<p>Done</p><p>{footer}</p>", subtype="html")
    return message


def test_an_answer_that_keeps_the_contract_is_taken() -> None:
    assert str(check_answer("GET", STATUS, 200, json.dumps(a_status(more="is allowed")))) == (
        "GET /hermes/api/sessions/{id}/status"
    )


def test_a_page_has_no_terms() -> None:
    assert check_answer("GET", f"{ALB}/session/TEST_1", 200, "<p>hello</p>") is None


def test_a_missing_field_is_told_with_its_hop() -> None:
    told = a_status()
    del told["containerIp"]
    with pytest.raises(ContractBroken) as broken:
        check_answer("GET", STATUS, 200, json.dumps(told))
    assert str(broken.value) == (
        f"the contract SessionStatus is broken at the answer 200 of GET {STATUS}:\n  containerIp is missing"
    )


def test_a_renamed_field_is_recognised() -> None:
    told = a_status(preview_url=f"{ALB}/x")
    del told["previewUrl"]
    with pytest.raises(ContractBroken, match="previewUrl is missing; there is 'preview_url', is it that"):
        check_answer("GET", STATUS, 200, json.dumps(told))


@pytest.mark.parametrize(
    ("told", "unit"),
    [
        (NOW * 1000, "1800000000000, which is in epoch milliseconds, expected a time as ISO 8601"),
        ("yesterday", "'yesterday', which is text, expected a time as ISO 8601"),
        ("2027-01-15T08:00:00", "expected a time as ISO 8601 with its offset"),
    ],
)
def test_a_time_in_another_unit_is_named(told: object, unit: str) -> None:
    with pytest.raises(ContractBroken, match=f"lastActivity: .*{unit}"):
        check_answer("GET", STATUS, 200, json.dumps(a_status(lastActivity=told)))


def test_success_with_another_status_is_none() -> None:
    with pytest.raises(ContractBroken, match="the status of success is 200"):
        check_answer("GET", STATUS, 201, json.dumps(a_status()))


def test_an_error_is_json_and_says_its_own_status() -> None:
    check_answer("GET", STATUS, 404, '{"statusCode": 404, "message": "Session not found"}')
    for body, breach in [
        ("<h1>Not Found</h1>", "it is no JSON"),
        ('{"error": "Session not found"}', "statusCode is missing"),
        ('{"statusCode": 500, "message": "x"}', "statusCode is 500, the status is 404"),
    ]:
        with pytest.raises(ContractBroken, match=breach):
            check_answer("GET", STATUS, 404, body)


def test_every_entry_of_a_list_is_checked() -> None:
    url = f"{ALB}/hermes/api/sessions/client/c"
    entry = {"sessionId": "TEST_1", "userId": "u", **a_status()}
    check_answer("GET", url, 200, json.dumps([entry]))
    with pytest.raises(ContractBroken, match="entry 1:\n  status: "):
        check_answer("GET", url, 200, json.dumps([entry, entry | {"status": "open"}]))
    with pytest.raises(ContractBroken, match="it is no list"):
        check_answer("GET", url, 200, json.dumps({"sessions": [entry]}))


def test_a_row_with_its_three_time_formats_is_taken() -> None:
    assert check_row(an_item(), "sessions").ttl_seconds == NOW + 1800


@pytest.mark.parametrize(
    ("change", "breach"),
    [
        ({"ttl": {"N": str(NOW * 1000)}}, f"ttl: {NOW * 1000}, which is in epoch milliseconds, expected epoch seconds"),
        ({"lastActivity": {"N": str(NOW)}}, f"lastActivity: {NOW}, which is in epoch seconds, expected epoch millis"),
        ({"lastActivity": {"S": str(NOW * 1000)}}, "lastActivity: .* which is text, expected epoch milliseconds"),
        ({"createdAt": {"N": str(NOW)}}, "createdAt: .* epoch seconds, expected a time as ISO 8601"),
        ({"status": {"S": "open"}}, "status: "),
        ({"threadId": None, "thread_id": {"S": "t"}}, "threadId is missing; there is 'thread_id'"),
        ({"userId": {"S": ""}}, "userId: "),
        ({"editBranch": None, "edit_branch": {"S": "b"}}, "editBranch is missing; there is 'edit_branch'"),
        ({"editBranch": {"S": ""}}, "editBranch: "),
        ({"fargateTaskArn": None, "taskArn": {"S": "arn:task"}}, "fargateTaskArn is missing"),
        ({"containerIp": None, "containerIP": {"S": "10.0.0.7"}}, "containerIp is missing; there is 'containerIP'"),
    ],
)
def test_a_row_in_other_terms_is_told_with_its_table(change: dict[str, Any], breach: str) -> None:
    with pytest.raises(ContractBroken, match=f"the row TEST_1 of table sessions:\n  {breach}"):
        check_row(an_item(**change), "sessions")


@pytest.mark.parametrize("status", ["initializing", "draining", "expired"])
def test_where_a_session_is_worked_on_is_agreed_on_from_when_it_is_active(status: str) -> None:
    nowhere = dict.fromkeys(("editBranch", "fargateTaskArn", "containerIp"))
    check_row(an_item(status={"S": status}, **nowhere), "sessions")
    with pytest.raises(ContractBroken, match="editBranch is missing"):
        check_row(an_item(**nowhere), "sessions")


def test_a_message_is_checked_through_both_of_its_covers() -> None:
    assert check_message(an_envelope(a_notification()), "inbound").mail.messageId == "m"
    for body, breach in [
        (json.dumps(a_notification()), "SnsEnvelope is broken at a message of queue inbound:\n  Type is missing"),
        (an_envelope(a_notification(content=None)), "SesNotification .* Message of s, .*queue inbound:\n  content: "),
        ("hello", "it is no JSON"),
    ]:
        with pytest.raises(ContractBroken, match=breach):
            check_message(body, "inbound")


def test_a_reply_that_keeps_the_contract_is_taken() -> None:
    check_reply(a_reply())


@pytest.mark.parametrize(
    ("reply", "breach"),
    [
        (a_reply(In_Reply_To=""), "In-Reply-To is missing"),
        (a_reply(References="<a@x.test>"), "References do not name <m@x.test>"),
        (a_reply(Subject="hello"), "expected it to begin with 'Re: '"),
        (a_reply(footer=""), "the footer 'Conversation ID: …' is missing"),
    ],
)
def test_a_reply_in_other_terms_is_told(reply: EmailMessage, breach: str) -> None:
    with pytest.raises(ContractBroken, match=breach):
        check_reply(reply)
