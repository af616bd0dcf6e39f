"""Parses the ISO 8601 durations of FIS: PT1M to PT12H."""

from __future__ import annotations

import re

SHORTEST, LONGEST = 60, 12 * 3600
"""Seconds: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html"""

_PATTERN = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


def seconds(text: str) -> int:
    """Raises ValueError for an invalid duration, or one outside FIS's limits."""
    match = _PATTERN.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT1M")
    hours, minutes, rest = (int(each or 0) for each in match.groups())
    total = 3600 * hours + 60 * minutes + rest
    if not SHORTEST <= total <= LONGEST:
        raise ValueError(f"{text} must be between PT1M and PT12H")
    return total
