"""Mail templates. The base stores them by version 1 of the API; version 2 is translated to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ....core.controller import Call, Context
from ....core.errors import AwsError
from .templating import TemplateError, render

Answer = dict[str, Any]
_MEMBERS = {"Subject": "SubjectPart", "Text": "TextPart", "Html": "HtmlPart"}


@dataclass(frozen=True)
class Template:
    subject: str
    text: str | None
    html: str | None

    def fill(self, data: str) -> Template:
        """The template filled with JSON data. Raises `TemplateError` for missing data, `AwsError` for invalid JSON."""
        values = _parse_data(data)
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


class TemplateApi:
    """The template operations of version 2, and DeleteTemplate and TestRenderTemplate of version 1."""

    def __init__(self, ctx: Context, templates: Templates) -> None:
        self._ctx = ctx
        self._templates = templates

    async def delete_template(self, call: Call) -> Answer:
        """In version 1, deleting a template that does not exist succeeds."""
        try:
            await self._templates.get(call.params["TemplateName"])
        except AwsError:
            return {}
        return await self._ctx.aws.store("ses", "DeleteTemplate", **call.params)

    async def create_email_template(self, call: Call) -> Answer:
        return await self._ctx.aws.call("ses", "CreateTemplate", Template=_to_v1(call))

    async def update_email_template(self, call: Call) -> Answer:
        return await self._ctx.aws.call("ses", "UpdateTemplate", Template=_to_v1(call))

    async def get_email_template(self, call: Call) -> Answer:
        name = call.params["TemplateName"]
        template = await self._templates.get(name)
        content = {"Subject": template.subject, "Text": template.text, "Html": template.html}
        given = {member: text for member, text in content.items() if text is not None}
        return {"TemplateName": name, "TemplateContent": given}

    async def delete_email_template(self, call: Call) -> Answer:
        name = call.params["TemplateName"]
        await self._templates.get(name)
        return await self._ctx.aws.call("ses", "DeleteTemplate", TemplateName=name)

    async def list_email_templates(self, call: Call) -> Answer:
        answer = await self._ctx.aws.call("ses", "ListTemplates")
        return {
            "TemplatesMetadata": [
                {"TemplateName": known["Name"], "CreatedTimestamp": known["CreatedTimestamp"]}
                for known in answer.get("TemplatesMetadata", ())
            ]
        }

    async def test_render_email_template(self, call: Call) -> Answer:
        template = await self._templates.get(call.params["TemplateName"])
        try:
            filled = template.fill(call.params["TemplateData"])
        except TemplateError as error:
            raise AwsError("BadRequestException", str(error)) from error
        return _rendered(filled)

    async def test_render_template(self, call: Call) -> Answer:
        """Version 1."""
        template = await self._templates.get(call.params["TemplateName"])
        try:
            return _rendered(template.fill(call.params["TemplateData"]))
        except TemplateError as error:
            raise AwsError("MissingRenderingAttribute", str(error)) from error
        except AwsError as error:
            raise AwsError("InvalidRenderingParameter", error.message) from error


def _rendered(filled: Template) -> Answer:
    parts = [f"Subject: {filled.subject}", "", filled.text or "", filled.html or ""]
    return {"RenderedTemplate": "\r\n".join(parts)}


def _parse_data(data: str) -> Answer:
    try:
        values = json.loads(data)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise AwsError("InvalidParameterValue", "Template data is not valid JSON: it must be one object")
    return values


def _to_v1(call: Call) -> Answer:
    content = call.params["TemplateContent"]
    return {
        "TemplateName": call.params["TemplateName"],
        **{_MEMBERS[member]: text for member, text in content.items()},
    }
