"""Builds ARNs of ECS and parses identifiers of clusters, services, tasks and task definitions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import invalid

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_TASK_ID_LENGTHS = (32, 36)


def check_name(kind: str, name: str) -> None:
    """Raises InvalidParameterException for an invalid name."""
    if not name:
        raise invalid(f"{kind} name cannot be blank.")
    if not _NAME.fullmatch(name):
        raise invalid(f"{kind} name can only contain letters, numbers, hyphens and underscores, up to 255 of them.")


@dataclass(frozen=True)
class Names:
    """Identifiers are short names or ARNs of this region and account."""

    region: str
    account: str

    def arn(self, resource: str) -> str:
        """`resource` is everything after the account, for example `cluster/default`."""
        return f"arn:aws:ecs:{self.region}:{self.account}:{resource}"

    def cluster_name(self, identifier: str | None) -> str:
        """The name of a cluster; `default` without an identifier."""
        if not identifier:
            return "default"
        parts = self._resource(identifier, "cluster")
        return parts[-1] if parts else identifier

    def service_name(self, identifier: str, cluster: str) -> str:
        """The name of a service of this cluster; accepts long and short ARNs."""
        return self._of_cluster(identifier, "service", cluster)

    def task_id(self, identifier: str, cluster: str) -> str:
        task_id = self._of_cluster(identifier, "task", cluster)
        if len(task_id) not in _TASK_ID_LENGTHS:
            raise invalid("taskId length should be one of [32,36]")
        return task_id

    def definition(self, identifier: str) -> tuple[str, int | None]:
        """(family, revision); the revision is None for the latest active one."""
        parts = self._resource(identifier, "task-definition")
        family, _, revision = (parts[-1] if parts else identifier).partition(":")
        if revision and not revision.isdigit():
            raise invalid(f"Invalid revision number. Number: {revision}")
        return family, int(revision) if revision else None

    def _of_cluster(self, identifier: str, kind: str, cluster: str) -> str:
        parts = self._resource(identifier, kind)
        if len(parts) == 2 and parts[0] != cluster:
            raise invalid(f"Invalid identifier: Identifier is for cluster {parts[0]}. Your cluster is {cluster}")
        return parts[-1] if parts else identifier

    def _resource(self, identifier: str, kind: str) -> list[str]:
        """The path below `kind/` of an ARN; empty for a short name."""
        if not identifier.startswith("arn:"):
            return []
        fields = identifier.split(":", 5)
        if len(fields) != 6 or fields[2] != "ecs" or not fields[5].startswith(f"{kind}/"):
            raise invalid(f"Invalid identifier: {identifier} is not the ARN of a {kind}.")
        if fields[3] != self.region or fields[4] != self.account:
            raise invalid(
                f"Invalid identifier: Identifier is for {fields[3]}:{fields[4]}. You are accessing "
                f"{self.region}:{self.account}"
            )
        return fields[5].split("/")[1:]
