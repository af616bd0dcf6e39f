"""What all of this part's operations share on the wire: times, pages, complaints."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from ...core.errors import AwsError

T = TypeVar("T")


def epoch(moment: Any) -> float:
    """AWS epoch seconds of a timestamp parameter, however the caller wrote it (without a zone it is UTC)."""
    if isinstance(moment, str):
        try:
            return float(moment)
        except ValueError:
            moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)


def instant(aws_epoch: float) -> datetime:
    """A timestamp for an answer, in whole milliseconds as AWS gives it."""
    return datetime.fromtimestamp(round(aws_epoch, 3), UTC)


def iso_millis(aws_epoch: float) -> str:
    """`2026-11-22T08:01:00.000+0000`, as CloudWatch writes times inside its JSON texts."""
    return instant(aws_epoch).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some of an answer's items."""

    items: list[T]
    end: int
    """How many have been told by the end of this page."""
    following: dict[str, str]
    """What the answer says of the next page: {"NextToken": …}, or nothing on the last."""


def page(items: Sequence[T], token: str | None, size: int, *, error: str) -> Page[T]:
    """The page a token asks for. Raises `AwsError` with the code `error` for a token nobody gave out."""
    start = 0
    if token is not None:
        try:
            start = int(base64.b64decode(token, validate=True))
        except ValueError:
            raise AwsError(error, "The token supplied is invalid") from None
    end = min(start + size, len(items))
    following = {"NextToken": base64.b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return Page(list(items[start:end]), end, following)


def dimensions(listed: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """[{"Name", "Value"}] as a mapping."""
    return {entry["Name"]: entry["Value"] for entry in listed or ()}


def listed(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """The reverse of `dimensions`."""
    return [{"Name": name, "Value": value} for name, value in pairs]


def validation_error(message: str) -> AwsError:
    """CloudWatch's complaint about a request that cannot be."""
    return AwsError("ValidationError", message)


def outside_enum(value: str, parameter: str, allowed: Iterable[str]) -> AwsError:
    """CloudWatch's complaint about a value that its model does not know."""
    return validation_error(
        f"1 validation error detected: Value '{value}' at '{parameter}' failed to satisfy constraint: "
        f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    )
