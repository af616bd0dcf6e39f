"""Opens what lies in the queue: SNS envelope, SES notification, and the mail itself wherever it is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

Fetch = Callable[[str, str], Awaitable[bytes]]
"""Reads an object of S3: bucket, key."""


class Malformed(Exception):
    """Not a message Hermes can read; it is left to the queue's redrive policy."""


@dataclass(frozen=True)
class Delivery:
    """A mail as SES handed it over."""

    raw: bytes
    ses_message_id: str
    """Empty in the earlier wiring."""
    envelope_from: str | None
    """The envelope's sender; empty for a bounce, None when it is not known."""
    recipients: tuple[str, ...]
    has_virus: bool


async def opened(body: str, fetch: Fetch) -> Delivery | None:
    """The mail in a queue message; None for a notification about something else. Raises `Malformed`."""
    message = _object(body, "The message")
    if message.get("Type") == "Notification":
        message = _object(message.get("Message"), "The SNS envelope's Message")
    kind = message.get("notificationType")
    if kind is None:
        return _of_earlier_wiring(message)
    if kind != "Received":
        return None
    mail = _part(message, "mail")
    receipt = _part(message, "receipt")
    return Delivery(
        raw=await _raw(message, _part(receipt, "action"), fetch),
        ses_message_id=str(mail.get("messageId", "")),
        envelope_from=mail["source"] if isinstance(mail.get("source"), str) else None,
        recipients=tuple(
            str(address)
            for source in (receipt.get("recipients"), mail.get("destination"))
            if isinstance(source, list)
            for address in source
        ),
        has_virus=_part(receipt, "virusVerdict").get("status") == "FAIL",
    )


def _of_earlier_wiring(message: dict[str, Any]) -> Delivery:
    """`{"content": "<base64 MIME>"}`"""
    return Delivery(_base64(message.get("content")), "", None, (), has_virus=False)


async def _raw(message: dict[str, Any], action: dict[str, Any], fetch: Fetch) -> bytes:
    content = message.get("content")
    if isinstance(content, str):
        if action.get("encoding") == "BASE64":
            return _base64(content)
        return content.encode("utf-8", "surrogateescape")
    bucket, key = action.get("bucketName"), action.get("objectKey")
    if isinstance(bucket, str) and isinstance(key, str):
        return await fetch(bucket, key)
    raise Malformed("The notification has neither content nor an S3 object")


def _base64(text: object) -> bytes:
    if not isinstance(text, str):
        raise Malformed("The message has no content")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("The content is not base64") from None


def _object(text: object, what: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Malformed(f"{what} is not a JSON object")
    return found


def _part(message: dict[str, Any], name: str) -> dict[str, Any]:
    part = message.get(name, {})
    return part if isinstance(part, dict) else {}
