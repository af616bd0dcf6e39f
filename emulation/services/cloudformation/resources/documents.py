"""Policies and other documents, which templates write as objects and APIs take as JSON text."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..errors import PropertyError
from ..intrinsics import text
from .base import Job, ResourceType


def document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def string_attributes(properties: Mapping[str, Any], names: str) -> dict[str, str]:
    """The given ones of these properties as an attribute map of SNS or SQS."""
    chosen = {name: properties[name] for name in names.split() if name in properties}
    return {name: document(value) if isinstance(value, dict) else text(value) for name, value in chosen.items()}


def policy_type(name: str, targets: str, put: Callable[[Job, str, str | None], Awaitable[None]]) -> ResourceType:
    """The type of a PolicyDocument that applies to a list of targets. `put` sets a target's policy, None the default
    one."""

    def listed(properties: Mapping[str, Any]) -> list[str]:
        if not isinstance(properties.get(targets, []), list):
            raise PropertyError(f"Value of property {targets} must be of type List of String")
        return [text(each) for each in properties.get(targets, [])]

    async def create(job: Job) -> None:
        listed(job.properties)
        generated = job.generated_name(80)
        job.created(generated, Id=generated)
        await update(job)

    async def update(job: Job) -> None:
        current = listed(job.properties)
        for target in listed(job.before):
            if target not in current:
                await put(job, target, None)
        for target in current:
            await put(job, target, document(job.get("PolicyDocument")))

    async def delete(job: Job) -> None:
        for target in listed(job.properties):
            await put(job, target, None)

    properties = f"PolicyDocument {targets}"
    return ResourceType(
        name, properties=properties, required=properties, attributes="Id", create=create, update=update, delete=delete
    )
