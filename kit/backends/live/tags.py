"""The tags that tell the kit's resources from all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...core.clock import epoch, iso

MARKER = "webordinary-test-kit"
"""On everything the kit creates; its value is the stack's name."""
RUN = "webordinary-test-kit:run"
"""The run that created it."""
EXPIRES = "webordinary-test-kit:expires"
"""From when on it may be collected, ISO 8601, unless its run is still at work."""


def tags(stack: str, run: str, expires: float) -> dict[str, str]:
    """The tags of what a run creates; `expires` is AWS epoch seconds."""
    return {MARKER: stack, RUN: run, EXPIRES: iso(expires)}


def as_list(values: Mapping[str, str]) -> list[dict[str, str]]:
    """As most services take them: `[{"Key": …, "Value": …}]`."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def from_list(values: Iterable[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """From whatever a service answers: a list with `Key`/`Value` or `key`/`value`, or a mapping."""
    if values is None:
        return {}
    if isinstance(values, Mapping):
        return dict(values)
    return {each.get("Key", each.get("key", "")): each.get("Value", each.get("value", "")) for each in values}


def expired(values: Mapping[str, str], now: float) -> bool:
    """Whether what carries these tags may be collected; without a readable expiry it never may."""
    try:
        return epoch(values[EXPIRES]) < now
    except (KeyError, ValueError):
        return False
