"""The base (state store) of an emulated cloud: describes it, and removes what would outlive the cloud."""

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
    """Whether a base (the setting `emulated.base`) keeps running when the cloud ends."""
    return "://" in base


def lines(facts: Mapping[str, Any]) -> Iterator[str]:
    """Describes the readiness line's base for people; nothing for the embedded one."""
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
    """Wall seconds for the cloud to be ready. Pulling a base's image reports no progress, unlike pulling those of tasks
    (see `Child.ready`)."""
    within = settings.emulated.start_within
    return max(within, PULLED_WITHIN) if settings.emulated.base == LOCALSTACK else within


async def delete_stack(aws: Aws, clock: Clock, settings: Settings) -> list[str]:
    """Delete the stack, so that nothing of it stays in the base. Returns what could not be deleted, a line each."""
    try:
        stack = await stack_named(aws, settings.stack.name)
        if stack is not None:
            await aws.call("ses", "set_active_receipt_rule_set")  # none: an active one cannot be deleted
            await destroy(aws, clock, stack["StackId"], within=settings.timeouts.deploy)
    except Exception as error:  # the cloud must be ended all the same
        return [f"resources of the stack in the base {settings.emulated.base}: {error}"]
    return []


def explained(error: InfraError, base: str) -> InfraError:
    """A failed deployment's error, with advice when the base had the resource before."""
    if not outlives(base) or not any(sign in error.what for sign in _THERE_ALREADY):
        return error
    return InfraError(
        f"{error.what} (the base {base} had it before this run)",
        where=error.where,
        next="it may be from a run that was killed: restart the base, or work beside it under another account "
        "(--set account=111111111111)",
    )
