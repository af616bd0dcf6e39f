"""Mail templates: stored by the base, filled in here. The operations of version 2 work on those of version 1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....core.controller import Call, Context, Handler, Operation
from ....core.errors import AwsError
from ..v2_errors import in_v2
from .templating import TemplateError, render

Answer = dict[str, Any]
_MEMBERS = {"Subject": "SubjectPart", "Text": "TextPart", "Html": "HtmlPart"}


@dataclass(frozen=True)
class Template:
    subject: str
    text: str | None
    html: str | None

    def fill(self, data: str) -> Template:
        """The template with JSON data filled in. Raises `TemplateError` for what the data does not have."""
        values = json.loads(data)
        return Template(
            render(self.subject, values),
            None if self.text is None else render(self.text, values),
            None if self.html is None else render(self.html, values),
        )


class Templates:
    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def get(self, name: str) -> Template:
        """A stored template. Raises `TemplateDoesNotExist`."""
        try:
            answer = await self._ctx.aws.call("ses", "GetTemplate", TemplateName=name)
        except AwsError as error:
            raise AwsError("TemplateDoesNotExist", f"Template {name} does not exist", TemplateName=name) from error
        stored = answer["Template"]
        return Template(stored.get("SubjectPart") or "", stored.get("TextPart") or None, stored.get("HtmlPart") or None)

    @staticmethod
    def check_data(data: str) -> str:
        """Template data as given, or `InvalidParameterValue` when it is no JSON object."""
        try:
            if isinstance(json.loads(data), dict):
                return data
        except ValueError:
            pass
        raise AwsError("InvalidParameterValue", "Template data is not valid JSON: it must be one object")

    def handlers(self) -> Mapping[Operation, Handler]:
        operations: dict[str, Handler] = {
            "CreateEmailTemplate": self._create,
            "UpdateEmailTemplate": self._update,
            "GetEmailTemplate": self._get,
            "DeleteEmailTemplate": self._delete,
            "ListEmailTemplates": self._list,
            "TestRenderEmailTemplate": self._test,
        }
        own: dict[Operation, Handler] = {("ses", "DeleteTemplate"): self._delete_v1}
        return own | {("sesv2", operation): in_v2(handler) for operation, handler in operations.items()}

    async def _delete_v1(self, call: Call) -> Answer:
        """As the base does it, but that deleting what is not there succeeds in version 1."""
        try:
            await self.get(call.params["TemplateName"])
        except AwsError:
            return {}
        return await self._ctx.aws.store("ses", "DeleteTemplate", **call.params)

    async def _create(self, call: Call) -> Answer:
        return await self._ctx.aws.call("ses", "CreateTemplate", Template=_to_v1(call))

    async def _update(self, call: Call) -> Answer:
        return await self._ctx.aws.call("ses", "UpdateTemplate", Template=_to_v1(call))

    async def _get(self, call: Call) -> Answer:
        name = call.params["TemplateName"]
        template = await self.get(name)
        content = {"Subject": template.subject, "Text": template.text, "Html": template.html}
        given = {member: text for member, text in content.items() if text is not None}
        return {"TemplateName": name, "TemplateContent": given}

    async def _delete(self, call: Call) -> Answer:
        name = call.params["TemplateName"]
        await self.get(name)
        return await self._ctx.aws.call("ses", "DeleteTemplate", TemplateName=name)

    async def _list(self, call: Call) -> Answer:
        answer = await self._ctx.aws.call("ses", "ListTemplates")
        return {
            "TemplatesMetadata": [
                {"TemplateName": known["Name"], "CreatedTimestamp": known["CreatedTimestamp"]}
                for known in answer.get("TemplatesMetadata", ())
            ]
        }

    async def _test(self, call: Call) -> Answer:
        template = await self.get(call.params["TemplateName"])
        try:
            filled = template.fill(self.check_data(call.params["TemplateData"]))
        except TemplateError as error:
            raise AwsError("BadRequestException", str(error)) from error
        parts = [f"Subject: {filled.subject}", "", filled.text or "", filled.html or ""]
        return {"RenderedTemplate": "\r\n".join(parts)}


def _to_v1(call: Call) -> Answer:
    content = call.params["TemplateContent"]
    return {
        "TemplateName": call.params["TemplateName"],
        **{_MEMBERS[member]: text for member, text in content.items()},
    }
