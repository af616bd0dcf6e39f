"""Conversions between AWS epoch seconds and the timestamps of API requests and answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def instant(aws_epoch: float) -> datetime:
    """A timestamp for an answer, rounded to milliseconds as AWS does."""
    return datetime.fromtimestamp(round(aws_epoch, 3), UTC)


def iso_millis(aws_epoch: float, utc: str = "Z") -> str:
    """ISO 8601 with milliseconds: `2026-11-22T08:00:00.000Z`. `utc` is the suffix for the time zone."""
    return instant(aws_epoch).isoformat(timespec="milliseconds").replace("+00:00", utc)


def epoch(moment: Any) -> float:
    """AWS epoch seconds of a timestamp parameter: a number, an ISO 8601 string or a datetime (naive means UTC)."""
    if isinstance(moment, str):
        try:
            return float(moment)
        except ValueError:
            moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment)
