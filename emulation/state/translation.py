"""Between an endpoint's terms and the cloud's: times, account and addresses in what is sent and what comes back.

cloud (AWS time, its own account, the gateway's address) <--> endpoint (wall time, whatever account it has, its address)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ..time.clock import Clock

_PAYLOADS = frozenset({"Body", "MessageBody", "Message", "message", "Data"})
"""What users wrote: delivered as it is, whatever stands in it."""
_EPOCH_NUMBERS: Mapping[str, frozenset[str]] = {
    "logs": frozenset(
        {"timestamp", "startTime", "endTime", "creationTime", "ingestionTime", "lastIngestionTime",
         "firstEventTimestamp", "lastEventTimestamp"}
    ),
}  # fmt: skip
"""Members that hold a time as a number, where botocore's model knows no timestamp."""
_MILLISECONDS_FROM = 1e11
"""Numbers from here on are epoch milliseconds, smaller ones seconds."""
_LOCALSTACK = r"(?:[\w-]+\.)*localhost\.localstack\.cloud(?::\d+)?"


@dataclass(frozen=True)
class Times:
    """AWS time and the endpoint's, which is the wall clock's."""

    clock: Clock

    def to_aws(self, wall: float) -> float:
        """Epoch seconds on the wall → AWS epoch seconds."""
        return self.clock.origin + (wall - self.clock.origin) * self.clock.scale

    def to_wall(self, aws: float) -> float:
        return self.clock.origin + (aws - self.clock.origin) / self.clock.scale


@dataclass
class Terms:
    """`back` turns what the endpoint answered into the cloud's terms, `out` what it is asked into its own."""

    times: Times
    host: Callable[[], str]
    """The gateway's `host:port`."""
    account: str
    address: str
    """The endpoint's `host:port`."""
    their_account: str

    def out(self, service: str, value: Any, shape: Any) -> Any:
        return _walked(value, shape, "", _Way(self.times.to_wall, self.text_out, _EPOCH_NUMBERS.get(service)))

    def back(self, service: str, value: Any, shape: Any) -> Any:
        return _walked(value, shape, "", _Way(self.times.to_aws, self.text_back, _EPOCH_NUMBERS.get(service)))

    def text_out(self, text: str) -> str:
        return _account(text, self.account, self.their_account)

    def text_back(self, text: str) -> str:
        if "://" in text:
            theirs = rf"https?://(?:{re.escape(self.address)}|{_LOCALSTACK})(?=[/?\"'<\s]|$)"
            text = re.sub(theirs, lambda _: f"http://{self.host()}", text)
        return _account(text, self.their_account, self.account)

    def iso_back(self, text: str) -> str:
        """An ISO 8601 time of the endpoint's, as the cloud's. What is none stays as it is."""
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            return text
        aws = datetime.fromtimestamp(self.times.to_aws(wall.timestamp()), UTC)
        return aws.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class _Way:
    time: Callable[[float], float]
    text: Callable[[str], str]
    numbers: frozenset[str] | None


def _walked(value: Any, shape: Any, name: str, way: _Way) -> Any:
    kind = "" if shape is None else shape.type_name
    if kind == "structure":
        if shape.name == "AttributeValue" or not isinstance(value, Mapping):  # DynamoDB's: users' own
            return value
        members = shape.members
        return {key: _walked(each, members.get(key), key, way) for key, each in value.items()}
    if kind == "list" and isinstance(value, list | tuple):
        return [_walked(each, shape.member, name, way) for each in value]
    if kind == "map" and isinstance(value, Mapping):
        return {key: _walked(each, shape.value, str(key), way) for key, each in value.items()}
    if kind == "timestamp" or isinstance(value, datetime):
        return _time(value, way)
    if isinstance(value, str):
        return value if name in _PAYLOADS else way.text(value)
    if way.numbers and name in way.numbers and isinstance(value, int):
        unit = 1000 if value > _MILLISECONDS_FROM else 1
        return int(way.time(value / unit) * unit) if value > 0 else value
    return value


def _time(value: Any, way: _Way) -> Any:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        try:
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=way.time(aware.timestamp()))
        except OverflowError:
            return value
    return way.time(value) if isinstance(value, int | float) else value


def _account(text: str, one: str, other: str) -> str:
    """The account where ARNs (`:…:`) and URLs (`/…/`) have it."""
    if one == other or one not in text:
        return text
    return text.replace(f":{one}:", f":{other}:").replace(f"/{one}/", f"/{other}/")
