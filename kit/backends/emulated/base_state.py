"""What holds an emulated cloud's declared state: its base, in words, and what of it outlives the cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...aws.client import Aws
from ...aws.deploy import destroy, stack_named
from ...core.clock import Clock
from ...core.errors import InfraError
from ...settings import Settings
from .child import PULLED_WITHIN

LOCALSTACK = "localstack"
_THERE_ALREADY = ("already exist", "ResourceInUse", "already in use", "EntityAlreadyExists", "InvalidSubnet.Conflict")


def outlives(base: str) -> bool:
    """Whether a base (the setting `emulated.base`) goes on when the cloud ends."""
    return "://" in base


def lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """A base other than the embedded one, as the readiness line tells of it, for people."""
    if not facts:
        return
    at = "" if facts["name"] == facts["endpoint"] else f" at {facts['endpoint']}"
    yield f"base {facts['name']}{at}: {', '.join(facts['serves'])}"
    for why, services in _by_reason(facts["embedded"]):
        yield f"from the embedded base: {', '.join(services)} ({why})"


def _by_reason(embedded: Mapping[str, str]) -> Sequence[tuple[str, list[str]]]:
    reasons: dict[str, list[str]] = {}
    for service, why in embedded.items():
        reasons.setdefault(why, []).append(service)
    return sorted(reasons.items(), key=lambda each: each[1])


def ready_within(settings: Settings) -> float:
    """Wall seconds for the cloud to be ready. A base in a container may have to be pulled, which is not told on the
    way; of the images of tasks it is (see `Child.ready`)."""
    within = settings.emulated.start_within
    return max(within, PULLED_WITHIN) if settings.emulated.base == LOCALSTACK else within


async def taken_back(aws: Aws, clock: Clock, settings: Settings) -> list[str]:
    """Delete the stack, so that a base that goes on keeps nothing of it. Returns what was not taken back."""
    try:
        there = await stack_named(aws, settings.stack.name)
        if there is not None:
            await aws.call("ses", "set_active_receipt_rule_set")  # none: an active one is not deleted
            await destroy(aws, clock, there["StackId"], within=settings.timeouts.deploy)
    except Exception as error:  # whatever it is, the cloud is still to be ended
        return [f"resources of the stack in the base {settings.emulated.base}: {error}"]
    return []


def explained(error: InfraError, base: str) -> InfraError:
    """A failed deployment, with what to do when the base had the resource before."""
    if not outlives(base) or not any(sign in error.what for sign in _THERE_ALREADY):
        return error
    return InfraError(
        f"{error.what} (the base {base} had it before this run)",
        where=error.where,
        next="it may be from a run that was killed: restart the base, or work beside it under another account "
        "(--set account=111111111111)",
    )
