"""The send operations of version 1 of the SES API (2010-12-01)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from typing import Any

from ....core.controller import Call
from ....core.errors import AwsError
from .composing import Letter, Text
from .statistics import Statistics
from .submission import Sending, SendOptions
from .templates import Template, Templates

Answer = dict[str, Any]
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""Names and values of message tags: https://docs.aws.amazon.com/ses/latest/APIReference/API_MessageTag.html"""


class SendApi:
    def __init__(self, sending: Sending, templates: Templates, statistics: Statistics) -> None:
        self._sending = sending
        self._templates = templates
        self._statistics = statistics

    async def send_email(self, call: Call) -> Answer:
        message = call.params["Message"]
        letter = Letter(
            sender=call.params["Source"],
            **destination(call.params["Destination"]),
            reply_to=call.params.get("ReplyToAddresses", ()),
            subject=Text.of(message["Subject"]) or Text(""),
            text=Text.of(message["Body"].get("Text")),
            html=Text.of(message["Body"].get("Html")),
        )
        return {"MessageId": await self._sending.send_letter(letter, _options(call))}

    async def send_raw_email(self, call: Call) -> Answer:
        recipients = call.params.get("Destinations") or None
        return {"MessageId": await self._sending.send(call.params["RawMessage"]["Data"], recipients, _options(call))}

    async def send_templated_email(self, call: Call) -> Answer:
        template = await self._templates.get(call.params["Template"])
        sent = self._send_filled(call, template, call.params["TemplateData"], call.params["Destination"])
        return {"MessageId": await sent}

    async def send_bulk_templated_email(self, call: Call) -> Answer:
        template = await self._templates.get(call.params["Template"])
        default = call.params.get("DefaultTemplateData", "{}")
        statuses = []
        for one in call.params["Destinations"]:
            sent = self._send_filled(call, template, one.get("ReplacementTemplateData") or default, one["Destination"])
            statuses.append(await bulk_status(sent, "Success", "MessageRejected", "InvalidParameterValue"))
        return {"Status": statuses}

    async def _send_filled(self, call: Call, template: Template, data: str, to: Mapping[str, Any]) -> str:
        replies = call.params.get("ReplyToAddresses", ())
        letter = Letter(sender=call.params["Source"], **destination(to), reply_to=replies)
        return await self._sending.send_filled(template, data, letter, _options(call))

    async def get_send_quota(self, call: Call) -> Answer:
        return self._statistics.quota()

    async def get_send_statistics(self, call: Call) -> Answer:
        return {"SendDataPoints": self._statistics.points()}

    async def get_account_sending_enabled(self, call: Call) -> Answer:
        return {"Enabled": True}


def destination(given: Mapping[str, Any]) -> dict[str, Any]:
    """A botocore `Destination` as fields of `Letter`."""
    return {
        "to": given.get("ToAddresses", ()),
        "cc": given.get("CcAddresses", ()),
        "bcc": given.get("BccAddresses", ()),
    }


async def bulk_status(sent: Awaitable[str], success: str, rejected: str, invalid: str) -> Answer:
    """The status of one mail of a bulk operation."""
    try:
        return {"Status": success, "MessageId": await sent}
    except AwsError as error:
        return {"Status": rejected if error.code == "MessageRejected" else invalid, "Error": error.message}


def _options(call: Call) -> SendOptions:
    for tag in (*call.params.get("Tags", ()), *call.params.get("DefaultTags", ())):
        for kind in ("name", "value"):
            text = tag[kind.title()]
            if not _TAG.fullmatch(text):
                raise AwsError(
                    "InvalidParameterValue",
                    f"Invalid tag {kind} <{text}>: only alphanumeric ASCII characters, '_',  '-' are allowed.",
                )
    return SendOptions(
        caller=call.caller,
        source=call.params.get("Source"),
        return_path=call.params.get("ReturnPath"),
        configuration_set=call.params.get("ConfigurationSetName"),
    )
