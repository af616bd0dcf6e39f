"""The send operations of the SES API, version 1 (2010-12-01)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....core.controller import Call, Handler, Operation
from ....core.errors import AwsError
from .composing import Letter, Text
from .statistics import MAX_DAILY, MAX_RATE, Statistics
from .submission import Sending, Terms
from .templates import Template, Templates

Answer = dict[str, Any]


class SendApi:
    def __init__(self, sending: Sending, templates: Templates, statistics: Statistics) -> None:
        self._sending = sending
        self._templates = templates
        self._statistics = statistics

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            ("ses", "SendEmail"): self._send,
            ("ses", "SendRawEmail"): self._send_raw,
            ("ses", "SendTemplatedEmail"): self._send_templated,
            ("ses", "SendBulkTemplatedEmail"): self._send_bulk,
            ("ses", "GetSendQuota"): self._quota,
            ("ses", "GetSendStatistics"): self._points,
            ("ses", "GetAccountSendingEnabled"): self._enabled,
        }

    async def _send(self, call: Call) -> Answer:
        message = call.params["Message"]
        letter = Letter(
            sender=call.params["Source"],
            **destination(call.params["Destination"]),
            reply_to=call.params.get("ReplyToAddresses", ()),
            subject=Text.of(message["Subject"]) or Text(""),
            text=Text.of(message["Body"].get("Text")),
            html=Text.of(message["Body"].get("Html")),
        )
        return {"MessageId": await self._sending.send_letter(letter, _terms(call))}

    async def _send_raw(self, call: Call) -> Answer:
        recipients = call.params.get("Destinations") or None
        return {"MessageId": await self._sending.send(call.params["RawMessage"]["Data"], recipients, _terms(call))}

    async def _send_templated(self, call: Call) -> Answer:
        template = await self._templates.get(call.params["Template"])
        data = self._templates.check_data(call.params["TemplateData"])
        return {"MessageId": await self._send_filled(call, template, data, call.params["Destination"])}

    async def _send_bulk(self, call: Call) -> Answer:
        template = await self._templates.get(call.params["Template"])
        default = call.params.get("DefaultTemplateData", "{}")
        statuses = []
        for one in call.params["Destinations"]:
            try:
                data = self._templates.check_data(one.get("ReplacementTemplateData") or default)
                message_id = await self._send_filled(call, template, data, one["Destination"])
                statuses.append({"Status": "Success", "MessageId": message_id})
            except AwsError as error:
                status = "MessageRejected" if error.code == "MessageRejected" else "InvalidParameterValue"
                statuses.append({"Status": status, "Error": error.message})
        return {"Status": statuses}

    async def _send_filled(self, call: Call, template: Template, data: str, to: Mapping[str, Any]) -> str:
        replies = call.params.get("ReplyToAddresses", ())
        letter = Letter(sender=call.params["Source"], **destination(to), reply_to=replies)
        return await self._sending.send_filled(template, data, letter, _terms(call))

    async def _quota(self, call: Call) -> Answer:
        sent = float(self._statistics.last_day())
        return {"Max24HourSend": MAX_DAILY, "MaxSendRate": MAX_RATE, "SentLast24Hours": sent}

    async def _points(self, call: Call) -> Answer:
        return {"SendDataPoints": self._statistics.points()}

    async def _enabled(self, call: Call) -> Answer:
        return {"Enabled": True}


def destination(given: Mapping[str, Any]) -> dict[str, Any]:
    """A botocore `Destination` as a letter's members."""
    return {
        "to": given.get("ToAddresses", ()),
        "cc": given.get("CcAddresses", ()),
        "bcc": given.get("BccAddresses", ()),
    }


def _terms(call: Call) -> Terms:
    return Terms(
        caller=call.caller,
        source=call.params.get("Source"),
        return_path=call.params.get("ReturnPath"),
        configuration_set=call.params.get("ConfigurationSetName"),
    )
