"""The tags that mark the kit's resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...core.clock import epoch, iso

MARKER = "webordinary-test-kit"
"""On every resource the kit creates; its value is the stack's name."""
RUN = "webordinary-test-kit:run"
"""The run that created it."""
EXPIRES = "webordinary-test-kit:expires"
"""Time from which the janitor may delete it, ISO 8601, unless its run is active."""


def tags(stack: str, run: str, expires: float) -> dict[str, str]:
    """The tags of a run's resources; `expires` is AWS epoch seconds."""
    return {MARKER: stack, RUN: run, EXPIRES: iso(expires)}


def as_list(values: Mapping[str, str]) -> list[dict[str, str]]:
    """The form of most services: `[{"Key": …, "Value": …}]`."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def from_list(values: Iterable[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """Reads any service's form: a list with `Key`/`Value` or `key`/`value`, or a mapping."""
    if values is None:
        return {}
    if isinstance(values, Mapping):
        return dict(values)
    return {each.get("Key", each.get("key", "")): each.get("Value", each.get("value", "")) for each in values}


def expired(values: Mapping[str, str], now: float) -> bool:
    """Whether a resource with these tags may be deleted; never without a readable expiry."""
    try:
        return epoch(values[EXPIRES]) < now
    except (KeyError, ValueError):
        return False
