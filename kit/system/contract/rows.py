"""The row of a session in the sessions table. Its three time formats are the deployed system's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from .answers import Status
from .terms import EpochMilliseconds, EpochSeconds, IsoTime, Terms, Text, agreed


class SessionRow(Terms):
    """An item of the sessions table: partition key `sessionId`, sort key `userId`."""

    model_config = ConfigDict(extra="ignore")

    session_id: Text = Field(alias="sessionId")
    user_id: Text = Field(alias="userId")
    client_id: Text = Field(alias="clientId")
    thread_id: Text = Field(alias="threadId")
    status: Status
    last_activity_ms: EpochMilliseconds = Field(alias="lastActivity")
    created_at_iso: IsoTime = Field(alias="createdAt")
    ttl_seconds: EpochSeconds = Field(alias="ttl")
    """DynamoDB deletes the row after this time; it accepts epoch seconds only."""
    preview_url: Text = Field(alias="previewUrl")
    edit_branch: str = Field(default="", alias="editBranch")
    task_arn: str = Field(default="", alias="fargateTaskArn")
    container_ip: str = Field(default="", alias="containerIp")


class ActiveSessionRow(SessionRow):
    """The row of an active session, which has every attribute."""

    status: Literal["active"]
    edit_branch: Text = Field(alias="editBranch")
    task_arn: str = Field(alias="fargateTaskArn")
    """Like `container_ip` empty when no container has worked for it yet: its only instruction was refused."""
    container_ip: str = Field(alias="containerIp")


def check_row(item: Mapping[str, Mapping[str, Any]], table: str) -> SessionRow:
    """Check and read a session's item with DynamoDB's typed attributes. Raises `ContractBroken`."""
    __tracebackhide__ = True
    row = {name: _plain(value) for name, value in item.items()}
    hop = f"the row {row.get('sessionId', '?')} of table {table}"
    if row.get("status") == "active":
        agreed(ActiveSessionRow, row, hop)
    return agreed(SessionRow, row, hop)


def _plain(attribute: Mapping[str, Any]) -> object:
    """The value of a typed attribute. Types other than string and number stay as they are, and break the contract."""
    if "S" in attribute:
        return attribute["S"]
    if "N" in attribute:
        number = str(attribute["N"])
        return int(number) if number.lstrip("-").isdigit() else float(number)
    return dict(attribute)
