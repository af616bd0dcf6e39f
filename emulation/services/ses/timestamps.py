"""Times as SES writes them in JSON."""

from __future__ import annotations

from datetime import UTC, datetime


def timestamp(epoch: float) -> str:
    """ISO 8601 with milliseconds, as AWS writes it: 2026-11-22T08:00:00.000Z."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
