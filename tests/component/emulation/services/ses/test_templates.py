"""Templates: SES's part of Handlebars, and sending with it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mailroom import ANN, EDIT, Mailroom, mailroom
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.services.ses.sending.templating import TemplateError, render


@pytest_asyncio.fixture
async def room() -> AsyncIterator[Mailroom]:
    async with mailroom() as room:
        await room.call(
            "ses",
            "CreateTemplate",
            Template={"TemplateName": "greet", "SubjectPart": "Hello {{name}}", "TextPart": "Dear {{name}}\n"},
        )
        yield room


@pytest.mark.parametrize(
    ("template", "data", "text"),
    [
        ("Hi {{name}}!", {"name": "Ann"}, "Hi Ann!"),
        ("{{ a.b }}", {"a": {"b": 1}}, "1"),
        ("{{{raw}}} {{raw}}", {"raw": "<b>"}, "<b> <b>"),
        ("{{#if on}}yes{{else}}no{{/if}}", {"on": True}, "yes"),
        ("{{#if on}}yes{{else}}no{{/if}}", {"on": []}, "no"),
        ("{{#if missing}}yes{{/if}}.", {}, "."),
        ("{{#unless on}}no{{/unless}}", {"on": 0}, "no"),
        ("{{#each l}}{{@index}}={{this}};{{/each}}", {"l": ["a", "b"]}, "0=a;1=b;"),
        ("{{#each l}}{{n}}{{#if last}}.{{else}},{{/if}}{{/each}}", {"l": [{"n": 1}, {"n": 2, "last": 1}]}, "1,2."),
        ("{{#each l}}x{{else}}none{{/each}}", {"l": []}, "none"),
        ("{{#if a}}{{#if b}}{{missing}}{{/if}}{{/if}}", {"a": 1, "b": 0}, ""),
        ("{{! a comment }}text { } {", {}, "text { } {"),
    ],
)
def test_a_template_is_filled_in(template: str, data: dict[str, Any], text: str) -> None:
    assert render(template, data) == text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{name}}", "Attribute 'name' is not present in the rendering data."),
        ("{{#if a}}", "is never closed"),
        ("{{/if}}", "unexpected"),
        ("{{#if a}}{{/each}}", "is closed by"),
        ("{{#with a}}{{/with}}", "not a block SES knows"),
    ],
)
def test_a_template_that_cannot_be_filled_says_why(template: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        render(template, {})


@given(st.text(), st.text())
def test_data_is_never_read_as_template(before: str, value: str) -> None:
    template = before.replace("{", "").replace("}", "") + "{{value}}"

    assert render(template, {"value": value}) == template.removesuffix("{{value}}") + value


async def test_a_stored_template_is_sent_by_both_versions(room: Mailroom) -> None:
    to = {"ToAddresses": [ANN]}
    await room.boto(
        "ses",
        lambda ses: ses.send_templated_email(
            Source=EDIT, Destination=to, Template="greet", TemplateData='{"name": "Ann"}'
        ),
    )
    content = {"Template": {"TemplateName": "greet", "TemplateData": '{"name": "Bob"}'}}
    await room.boto("sesv2", lambda ses: ses.send_email(FromEmailAddress=EDIT, Destination=to, Content=content))

    assert [mail.raw.partition(b"Subject: ")[2].split(b"\r\n")[0] for mail in await room.sent()] == [
        b"Hello Ann",
        b"Hello Bob",
    ]


async def test_many_are_sent_with_data_of_their_own(room: Mailroom) -> None:
    destinations = [
        {"Destination": {"ToAddresses": [ANN]}, "ReplacementTemplateData": '{"name": "Ann"}'},
        {"Destination": {"ToAddresses": ["bad"]}},
        {"Destination": {"ToAddresses": ["bob@x.org"]}},
    ]

    answer = await room.boto(
        "ses",
        lambda ses: ses.send_bulk_templated_email(
            Source=EDIT, Template="greet", DefaultTemplateData='{"name": "you"}', Destinations=destinations
        ),
    )

    assert [status["Status"] for status in answer["Status"]] == ["Success", "InvalidParameterValue", "Success"]
    assert [mail.recipients for mail in await room.sent()] == [(ANN,), ("bob@x.org",)]


async def test_data_that_is_missing_shows_after_the_answer_as_in_ses(
    room: Mailroom, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        await room.boto(
            "ses",
            lambda ses: ses.send_templated_email(
                Source=EDIT, Destination={"ToAddresses": [ANN]}, Template="greet", TemplateData="{}"
            ),
        )

    assert await room.sent() == []
    assert "Attribute 'name' is not present" in caplog.text


async def test_a_template_must_exist_and_its_data_be_json(room: Mailroom) -> None:
    def send(template: str, data: str) -> Any:
        return lambda ses: ses.send_templated_email(
            Source=EDIT, Destination={"ToAddresses": [ANN]}, Template=template, TemplateData=data
        )

    with pytest.raises(ClientError, match="TemplateDoesNotExist"):
        await room.boto("ses", send("none", "{}"))
    with pytest.raises(ClientError, match="not valid JSON"):
        await room.boto("ses", send("greet", "name=Ann"))


async def test_version_2_manages_the_same_templates(room: Mailroom) -> None:
    content = {"Subject": "S {{x}}", "Text": "T"}
    await room.boto("sesv2", lambda ses: ses.create_email_template(TemplateName="second", TemplateContent=content))

    listed = await room.boto("sesv2", lambda ses: ses.list_email_templates())
    found = await room.boto("sesv2", lambda ses: ses.get_email_template(TemplateName="second"))
    await room.boto("sesv2", lambda ses: ses.delete_email_template(TemplateName="greet"))

    assert [template["TemplateName"] for template in listed["TemplatesMetadata"]] == ["greet", "second"]
    assert found["TemplateContent"] == content
    with pytest.raises(ClientError, match="NotFoundException"):
        await room.boto("sesv2", lambda ses: ses.get_email_template(TemplateName="greet"))


async def test_version_1_deletes_what_is_not_there_without_complaint(room: Mailroom) -> None:
    for _ in range(2):
        await room.boto("ses", lambda ses: ses.delete_template(TemplateName="greet"))

    assert (await room.boto("ses", lambda ses: ses.list_templates()))["TemplatesMetadata"] == []


async def test_version_1_renders_as_it_sends(room: Mailroom) -> None:
    text = "{{#each items}}{{this}},{{/each}} {{user.first}}"
    await room.call("ses", "CreateTemplate", Template={"TemplateName": "list", "SubjectPart": "s", "TextPart": text})
    data = '{"items": ["a", "b"], "user": {"first": "Ann"}}'
    answer = await room.call("ses", "TestRenderTemplate", TemplateName="list", TemplateData=data)
    assert "a,b, Ann" in answer["RenderedTemplate"]
    for bad, code in (('{"items": []}', "MissingRenderingAttribute"), ("[", "InvalidRenderingParameter")):
        with pytest.raises(AwsError) as refused:
            await room.call("ses", "TestRenderTemplate", TemplateName="list", TemplateData=bad)
        assert refused.value.code == code


async def test_tags_that_ses_does_not_take(room: Mailroom) -> None:
    sent = {
        "Source": EDIT,
        "Destination": {"ToAddresses": [ANN]},
        "Message": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "x"}}},
    }
    with pytest.raises(AwsError) as refused:
        await room.call("ses", "SendEmail", **sent, Tags=[{"Name": "bad:name", "Value": "x"}])
    assert (refused.value.code, refused.value.message) == (
        "InvalidParameterValue",
        "Invalid tag name <bad:name>: only alphanumeric ASCII characters, '_',  '-' are allowed.",
    )
