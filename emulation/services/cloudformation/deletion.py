"""Deletes resources of a stack, dependents first."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...core.controller import Context
from ...core.errors import AwsError
from .deployment import new_job
from .errors import ResourceError
from .graph import reverse, walk
from .resources import TYPES
from .stacks import Resource, Stack

_GONE = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist|ResourceNotFound|InvalidParameterValue\.Missing")
"""Error codes for a missing resource, which counts as deleted."""

GONE_STATUSES = ("DELETE_COMPLETE", "DELETE_SKIPPED")


async def remove(ctx: Context, stack: Stack, resources: Iterable[Resource], *, kept: Iterable[str] = ()) -> list[str]:
    """Delete these resources, except the logical ids in `kept`. Returns the logical ids that could not be deleted;
    their dependencies are kept too, everything else is deleted."""
    there = {each.logical_id: each for each in resources if each.status not in GONE_STATUSES}
    keep = frozenset(kept)
    failed: list[str] = []

    async def visit(name: str) -> bool:
        resource = there[name]
        if name in keep:
            stack.report(ctx, resource, "DELETE_SKIPPED")
            return True
        reason = await _delete(ctx, stack, resource)
        if reason is not None:
            failed.append(name)
            stack.report(ctx, resource, "DELETE_FAILED", reason)
        return reason is None

    await walk(reverse({name: each.depends_on for name, each in there.items()}), visit)
    return failed


async def _delete(ctx: Context, stack: Stack, resource: Resource) -> str | None:
    """Why it could not be deleted, or None."""
    if not resource.physical_id:  # creation did not get that far
        stack.report(ctx, resource, "DELETE_COMPLETE")
        return None
    stack.report(ctx, resource, "DELETE_IN_PROGRESS")
    kind = TYPES[resource.type_name]
    try:
        await kind.delete(await new_job(ctx, stack, resource))
        delays = ctx.latency.resource(f"{resource.logical_id} of {stack.name}")
        await delays.wait("stack.delete", variant=resource.type_name)
    except ResourceError as error:
        if not _GONE.search(error.code):
            return error.reason
    except AwsError as error:
        return error.message
    except Exception as error:
        ctx.log.exception("%s %s", resource.type_name, resource.logical_id)
        return f"Internal error in the emulation of {resource.type_name}: {error!r}"
    stack.report(ctx, resource, "DELETE_COMPLETE")
    return None
