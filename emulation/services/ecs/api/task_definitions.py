"""Task definition operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....core.controller import Call
from ....core.errors import AwsError
from .. import serializers
from ..errors import client_error, invalid
from ..store import Store
from ..task_definition import TaskDefinition
from .listing import page
from .tags import parse_tags
from .task_definition_rules import validated

_STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."


@dataclass(frozen=True)
class Definitions:
    store: Store

    async def register_task_definition(self, call: Call) -> dict[str, Any]:
        raw = validated(call.params)
        family = raw.pop("family")
        revisions = self.store.definitions.setdefault(family, [])
        revision = len(revisions) + 1
        definition = TaskDefinition(
            arn=self.store.names.arn(f"task-definition/{family}:{revision}"),
            family=family,
            revision=revision,
            raw=raw,
            registered_at=self.store.clock.now(),
            registered_by=f"arn:aws:iam::{call.account}:root",
            tags=parse_tags(call.params.get("tags", ()), call.caller),
        )
        revisions.append(definition)
        return {"taskDefinition": serializers.definition(definition), "tags": serializers.tags(definition.tags)}

    async def describe_task_definition(self, call: Call) -> dict[str, Any]:
        definition = self.store.definition(call.params["taskDefinition"])
        if definition is None:
            raise client_error("Unable to describe task definition.")
        answer: dict[str, Any] = {"taskDefinition": serializers.definition(definition)}
        if "TAGS" in call.params.get("include", ()):
            answer["tags"] = serializers.tags(definition.tags)
        return answer

    async def deregister_task_definition(self, call: Call) -> dict[str, Any]:
        definition = self._revision(call.params["taskDefinition"])
        if definition.status == "ACTIVE":
            definition.status = "INACTIVE"
            definition.deregistered_at = self.store.clock.now()
        return {"taskDefinition": serializers.definition(definition)}

    async def delete_task_definitions(self, call: Call) -> dict[str, Any]:
        identifiers = call.params["taskDefinitions"]
        if not 1 <= len(identifiers) <= 10:
            raise invalid("Task definitions must have between 1 and 10 elements.")
        deleted, failures = [], []
        for identifier in identifiers:
            try:
                definition = self._revision(identifier)
            except AwsError as error:
                failures.append({"arn": identifier, "reason": error.message})
                continue
            if definition.status == "ACTIVE":
                failures.append({"arn": definition.arn, "reason": _STILL_ACTIVE})
                continue
            definition.status = "DELETE_IN_PROGRESS"
            definition.delete_requested_at = self.store.clock.now()
            deleted.append(serializers.definition(definition))
        return {"taskDefinitions": deleted, "failures": failures}

    async def list_task_definitions(self, call: Call) -> dict[str, Any]:
        """As on AWS, `familyPrefix` is the whole name of a family."""
        status = call.params.get("status", "ACTIVE")
        family = call.params.get("familyPrefix")
        arns = [
            each.arn
            for name, revisions in sorted(self.store.definitions.items())
            if family in (None, name)
            for each in revisions
            if each.status == status
        ]
        return page(arns[::-1] if call.params.get("sort") == "DESC" else arns, call.params, "taskDefinitionArns")

    async def list_task_definition_families(self, call: Call) -> dict[str, Any]:
        status = call.params.get("status", "ALL")
        prefix = call.params.get("familyPrefix", "")
        families = [
            name
            for name, revisions in sorted(self.store.definitions.items())
            if name.startswith(prefix) and status in ("ALL", _family_status(revisions))
        ]
        return page(families, call.params, "families")

    def _revision(self, identifier: str) -> TaskDefinition:
        _, revision = self.store.names.definition(identifier)
        if revision is None:
            raise client_error(f"Invalid revision number. Number: {identifier}")
        definition = self.store.definition(identifier)
        if definition is None:
            raise client_error("The specified task definition does not exist.")
        return definition


def _family_status(revisions: list[TaskDefinition]) -> str:
    return "ACTIVE" if any(each.status == "ACTIVE" for each in revisions) else "INACTIVE"
