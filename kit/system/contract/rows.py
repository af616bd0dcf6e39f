"""The row of a session. Three time formats in one row, as deployed: each is kept, and each has its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from .answers import Status
from .terms import EpochMilliseconds, EpochSeconds, IsoTime, Terms, Text, agreed


class SessionRow(Terms):
    """An item of the sessions table: partition key `sessionId`, sort key `userId`."""

    sessionId: Text
    userId: Text
    clientId: Text
    threadId: Text
    status: Status
    lastActivity: EpochMilliseconds
    createdAt: IsoTime
    ttl: EpochSeconds
    """DynamoDB takes the row away after this; it reads nothing but seconds."""
    previewUrl: Text


class ActiveSessionRow(SessionRow):
    """The row of a session that is active: by then everything about it has been written."""

    status: Literal["active"]
    editBranch: Text
    fargateTaskArn: str
    """Like the next one empty where no container has worked for it yet: its only instruction was refused."""
    containerIp: str


def check_row(item: Mapping[str, Mapping[str, Any]], table: str) -> SessionRow:
    """Check a session's item as DynamoDB gives it, typed attributes and all. Raises `ContractBroken`."""
    __tracebackhide__ = True
    row = {name: _plain(value) for name, value in item.items()}
    terms = ActiveSessionRow if row.get("status") == "active" else SessionRow
    return agreed(terms, row, f"the row {row.get('sessionId', '?')} of table {table}")


def _plain(attribute: Mapping[str, Any]) -> object:
    """The value of a typed attribute; what is neither text nor a number stays as it is, and is no agreed value."""
    if "S" in attribute:
        return attribute["S"]
    if "N" in attribute:
        number = str(attribute["N"])
        return int(number) if number.lstrip("-").isdigit() else float(number)
    return dict(attribute)
