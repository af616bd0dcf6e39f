"""Translates times, accounts and addresses between the cloud and an endpoint.

cloud (AWS time, the cloud's account, the gateway's address) <--> endpoint (wall time, its account and address)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..time.clock import Clock

_PAYLOADS = frozenset({"Body", "MessageBody", "Message", "message", "Data"})
"""Payloads of users, never changed."""
_EPOCH_NUMBERS: Mapping[str, frozenset[str]] = {
    "logs": frozenset(
        {"timestamp", "startTime", "endTime", "creationTime", "ingestionTime", "lastIngestionTime",
         "firstEventTimestamp", "lastEventTimestamp"}
    ),
}  # fmt: skip
"""Members with a time as a plain number, no timestamp in botocore's model."""
_MILLISECONDS_FROM = 1e11
"""Larger numbers are epoch milliseconds, smaller ones seconds."""
_LOCALSTACK = r"(?:[\w-]+\.)*localhost\.localstack\.cloud(?::\d+)?"


@dataclass(frozen=True)
class Times:
    """Converts between AWS time and the endpoint's wall time."""

    clock: Clock

    def to_aws(self, wall: float) -> float:
        """Wall epoch seconds → AWS epoch seconds."""
        return self.clock.origin + (wall - self.clock.origin) * self.clock.scale

    def to_wall(self, aws: float) -> float:
        return self.clock.origin + (aws - self.clock.origin) / self.clock.scale


@dataclass
class Terms:
    """`out` translates requests to the endpoint, `back` its answers."""

    times: Times
    host: Callable[[], str]
    """The gateway's `host:port`."""
    account: str
    address: str
    """The endpoint's `host:port`."""
    their_account: str

    def out(self, service: str, value: Any, shape: Any) -> Any:
        return _walked(value, shape, "", _Direction(self.times.to_wall, self.text_out, _EPOCH_NUMBERS.get(service)))

    def back(self, service: str, value: Any, shape: Any) -> Any:
        return _walked(value, shape, "", _Direction(self.times.to_aws, self.text_back, _EPOCH_NUMBERS.get(service)))

    def text_out(self, text: str) -> str:
        return _account(text, self.account, self.their_account)

    def text_back(self, text: str) -> str:
        if "://" in text:
            theirs = rf"https?://(?:{re.escape(self.address)}|{_LOCALSTACK})(?=[/?\"'<\s]|$)"
            text = re.sub(theirs, lambda _: f"http://{self.host()}", text)
        return _account(text, self.their_account, self.account)

    def iso_back(self, text: str) -> str:
        """An ISO 8601 time of the endpoint as AWS time; other text unchanged."""
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            return text
        aws = datetime.fromtimestamp(self.times.to_aws(wall.timestamp()), UTC)
        return aws.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class _Direction:
    time: Callable[[float], float]
    text: Callable[[str], str]
    numbers: frozenset[str] | None


def _walked(value: Any, shape: Any, name: str, direction: _Direction) -> Any:
    kind = "" if shape is None else shape.type_name
    if kind == "structure":
        if shape.name == "AttributeValue" or not isinstance(value, Mapping):  # DynamoDB's, the users' data
            return value
        members = shape.members
        return {key: _walked(each, members.get(key), key, direction) for key, each in value.items()}
    if kind == "list" and isinstance(value, list | tuple):
        return [_walked(each, shape.member, name, direction) for each in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _walked(each, shape.value, str(key), direction) for key, each in value.items()}
    if kind == "timestamp" or isinstance(value, datetime):
        return _time(value, direction)
    if isinstance(value, str):
        return value if name in _PAYLOADS else direction.text(value)
    if direction.numbers and name in direction.numbers and isinstance(value, int):
        unit = 1000 if value > _MILLISECONDS_FROM else 1
        return int(direction.time(value / unit) * unit) if value > 0 else value
    return value


def _time(value: Any, direction: _Direction) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        try:
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=direction.time(aware.timestamp()))
        except OverflowError:
            return value
    return direction.time(value) if isinstance(value, int | float) else value


def _account(text: str, one: str, other: str) -> str:
    """Replace the account in ARNs (`:…:`) and URLs (`/…/`)."""
    if one == other or one not in text:
        return text
    return text.replace(f":{one}:", f":{other}:").replace(f"/{one}/", f"/{other}/")
