"""The send operations of version 2 of the SES API (2019-09-27)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.controller import Call
from ....core.errors import AwsError
from .api import bulk_status, destination
from .composing import Attachment, Letter, Text
from .statistics import Statistics
from .submission import V2_SIZE, Sending, SendOptions
from .templates import Template, Templates

Answer = dict[str, Any]


class SendApiV2:
    def __init__(self, sending: Sending, templates: Templates, statistics: Statistics) -> None:
        self._sending = sending
        self._templates = templates
        self._statistics = statistics

    async def send_email(self, call: Call) -> Answer:
        content = call.params["Content"]
        kinds = [kind for kind in ("Simple", "Raw", "Template") if kind in content]
        if len(kinds) != 1:
            raise AwsError("InvalidParameterValue", "Exactly one of Simple, Raw and Template must be given as Content")
        given = content[kinds[0]]
        if kinds[0] == "Raw":
            recipients = [mailbox for mailboxes in call.params.get("Destination", {}).values() for mailbox in mailboxes]
            return {"MessageId": await self._sending.send(given["Data"], recipients or None, _options(call))}
        if kinds[0] == "Simple":
            return {"MessageId": await self._sending.send_letter(_simple(call, given), _options(call))}
        template, data = await self._template(given), given.get("TemplateData", "{}")
        letter = _letter(call, call.params.get("Destination", {}), given)
        return {"MessageId": await self._sending.send_filled(template, data, letter, _options(call))}

    async def send_bulk_email(self, call: Call) -> Answer:
        given = call.params["DefaultContent"].get("Template", {})
        template = await self._template(given)
        results = []
        for entry in call.params["BulkEmailEntries"]:
            replacement = entry.get("ReplacementEmailContent", {}).get("ReplacementTemplate", {})
            data = replacement.get("ReplacementTemplateData") or given.get("TemplateData", "{}")
            sent = self._send_entry(call, template, data, entry)
            results.append(await bulk_status(sent, "SUCCESS", "MESSAGE_REJECTED", "INVALID_PARAMETER"))
        return {"BulkEmailEntryResults": results}

    async def _send_entry(self, call: Call, template: Template, data: str, entry: Mapping[str, Any]) -> str:
        letter = _letter(call, entry["Destination"], {"Headers": entry.get("ReplacementHeaders", ())})
        return await self._sending.send_filled(template, data, letter, _options(call))

    async def _template(self, given: Mapping[str, Any]) -> Template:
        if "TemplateContent" in given:
            content = given["TemplateContent"]
            return Template(content.get("Subject", ""), content.get("Text"), content.get("Html"))
        name = given.get("TemplateName") or given.get("TemplateArn", "").rpartition("/")[2]
        return await self._templates.get(name)

    async def get_account(self, call: Call) -> Answer:
        return {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendQuota": self._statistics.quota(),
            "SendingEnabled": True,
            "SuppressionAttributes": {"SuppressedReasons": []},
        }


def _simple(call: Call, given: Mapping[str, Any]) -> Letter:
    body = given["Body"]
    letter = _letter(call, call.params.get("Destination", {}), given)
    return letter.with_body(Text.of(given["Subject"]) or Text(""), Text.of(body.get("Text")), Text.of(body.get("Html")))


def _letter(call: Call, to: Mapping[str, Any], given: Mapping[str, Any]) -> Letter:
    if "FromEmailAddress" not in call.params:
        raise AwsError("InvalidParameterValue", "FromEmailAddress is required unless the content is Raw")
    return Letter(
        sender=call.params["FromEmailAddress"],
        **destination(to),
        reply_to=call.params.get("ReplyToAddresses", ()),
        headers=[(header["Name"], header["Value"]) for header in given.get("Headers", ())],
        attachments=[_attachment(attachment) for attachment in given.get("Attachments", ())],
    )


def _attachment(given: Mapping[str, Any]) -> Attachment:
    return Attachment(
        content=given["RawContent"],
        filename=given["FileName"],
        media_type=given.get("ContentType", "application/octet-stream"),
        inline=given.get("ContentDisposition") == "INLINE",
        content_id=given.get("ContentId"),
    )


def _options(call: Call) -> SendOptions:
    return SendOptions(
        caller=call.caller,
        source=call.params.get("FromEmailAddress"),
        return_path=call.params.get("FeedbackForwardingEmailAddress"),
        configuration_set=call.params.get("ConfigurationSetName"),
        limit=V2_SIZE,
    )
