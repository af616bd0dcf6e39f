"""The network interfaces of tasks: subnet, security groups, address, ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .model import Task
from .store import Store


@dataclass(frozen=True)
class NetworkInterface:
    id: str
    task_arn: str
    attachment_id: str
    subnet: str
    mac: str
    address: str
    groups: tuple[str, ...]
    """Security groups; empty for the VPC's default group."""
    ports: Mapping[int, int]
    """Port at which load balancers reach it → container port."""
    target_groups: tuple[str, ...]
    """ARNs of the target groups it is registered in."""


def interfaces(store: Store) -> Iterator[NetworkInterface]:
    """The interfaces of all tasks with an attached interface."""
    for task in store.tasks():
        attachment = task.attachment
        if attachment is None or attachment.status != "ATTACHED" or not attachment.address:
            continue
        network = (task.network or {}).get("awsvpcConfiguration", {})
        yield NetworkInterface(
            attachment.interface_id,
            task.arn,
            attachment.id,
            attachment.subnet,
            attachment.mac,
            attachment.address,
            tuple(network.get("securityGroups", ())),
            _ports(task),
            tuple(each["targetGroupArn"] for each in task.load_balancers if each.get("targetGroupArn")),
        )


def _ports(task: Task) -> dict[int, int]:
    ports = {port: port for container in task.containers for port in container.definition.ports}
    for binding in (binding for container in task.containers for binding in container.bindings):
        ports.pop(binding["containerPort"], None)
        ports[binding["hostPort"]] = binding["containerPort"]
    return ports
