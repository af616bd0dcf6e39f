"""What a fault uses: AWS, the system's facts, ECS Exec, and the cloud's fault API where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..aws.client import Aws
from ..aws.undo import UndoBook
from ..backends.interface import FaultApi
from ..core.clock import Clock
from ..core.errors import NotSupported, UsageError
from ..core.ids import Ids
from ..system.facts import SERVICES, System

ANSWERS, SILENT, REFUSED = "answers", "silent", "refused"


class Result(Protocol):
    @property
    def output(self) -> str: ...

    @property
    def exit_code(self) -> int: ...


@dataclass(frozen=True)
class FaultContext:
    """What a fault is injected with. The same for every cloud, except the fault API and the undo book."""

    aws: Aws
    system: System
    clock: Clock
    ids: Ids
    run: Callable[[str, str, str], Awaitable[Result]]
    """ECS Exec: task ARN, container, shell command."""
    fault_api: FaultApi | None = None
    """The emulated cloud's. Without it, faults use AWS's own means."""
    undo_book: UndoBook | None = None
    """Records how to undo a fault before it is injected; None when faults end with their cloud."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Put on every resource that is created."""

    def injector(self, kind: str) -> FaultApi:
        """The cloud's fault API. Raises `NotSupported` when there is none."""
        if self.fault_api is None:
            raise NotSupported(
                f"this cloud cannot inject the fault {kind}", next="name the capability in the scenario's needs"
            )
        return self.fault_api

    def callers(self, by: str) -> str:
        """The callers in the fault API's terms: a service of the stack by its ECS name."""
        if by in SERVICES:
            return f"service:{self.system.service_name('hermes' if by == 'hermes' else 'edit')}"
        if by in ("everyone", "tasks") or by.startswith("arn:"):
            return by
        words = ", ".join(("everyone", "tasks", *SERVICES))
        raise UsageError(f"by={by!r} is no caller", next=f"use one of {words}, or a task's ARN")

    async def task(self, arn: str) -> dict[str, Any]:
        """DescribeTasks of one task. Raises `UsageError` when ECS does not know it."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy: only where a call is made

        cluster = self.system.stack.cluster_name
        tasks: list[dict[str, Any]] = []
        try:
            tasks = (await self.aws.call("ecs", "describe_tasks", cluster=cluster, tasks=[arn]))["tasks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameterException":
                raise
        if not tasks:
            raise UsageError(
                f"there is no task {arn} in cluster {cluster}", next="choose one that runs: h.services.tasks('edit')"
            )
        return tasks[0]

    async def running_task(self, arn: str) -> dict[str, Any]:
        """As `task`, and it must be RUNNING. Raises `UsageError`."""
        task = await self.task(arn)
        if task["lastStatus"] != "RUNNING":
            raise UsageError(
                f"task {arn} is {task['lastStatus']}, not RUNNING: {task.get('stoppedReason', '')}".rstrip(": "),
                next="choose one that runs: h.services.tasks('edit')",
            )
        return task

    async def task_definition(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeTaskDefinition of a task."""
        answer = await self.aws.call("ecs", "describe_task_definition", taskDefinition=task["taskDefinitionArn"])
        definition: dict[str, Any] = answer["taskDefinition"]
        return definition

    async def definition(self, task: Mapping[str, Any], container: str) -> dict[str, Any]:
        """The definition of a task's container."""
        definitions: list[dict[str, Any]] = (await self.task_definition(task))["containerDefinitions"]
        return next(each for each in definitions if each["name"] == container)

    async def can_signal(self, task: Mapping[str, Any], container: str) -> bool:
        """Whether a shell in the container can signal its program. The kernel ignores signals to process 1 from its
        namespace, so an init process must be process 1."""
        if not task.get("enableExecuteCommand"):
            return False
        definition = await self.definition(task, container)
        return bool(definition.get("linuxParameters", {}).get("initProcessEnabled"))

    async def address(self, task: Mapping[str, Any]) -> tuple[str, int]:
        """A task's address: the port it maps onto its host, else its own address with its container's port.

        Raises `UsageError` for a task without a port.
        """
        for container in task["containers"]:
            for binding in container.get("networkBindings", ()):
                return binding["bindIP"], binding["hostPort"]
        for container in task["containers"]:
            ports = (await self.definition(task, container["name"])).get("portMappings", ())
            for interface in container.get("networkInterfaces", ()):
                for port in ports:
                    return interface["privateIpv4Address"], port["containerPort"]
        raise UsageError(f"task {task['taskArn']} has no port, so it cannot be checked whether it answers")

    async def probe(self, host: str, port: int, within: float) -> str:
        """Request a page and wait `within` wall seconds: the target ANSWERS, stays SILENT or has REFUSED."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with self.clock.timeout(within * self.clock.scale):
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                return ANSWERS if await reader.read(1) else REFUSED
        except TimeoutError:
            return SILENT
        except OSError:
            return REFUSED
        finally:
            if writer is not None:
                writer.transport.abort()

    async def answering(self, task: str, within: float, fault: str) -> tuple[str, int, float]:
        """The address of a running task that answers, and the wall seconds it took.

        Raises `UsageError` when it does not answer within so many wall seconds: the fault would not show.
        """
        host, port = await self.address(await self.running_task(task))
        began = self.clock.monotonic()
        seen = await self.probe(host, port, within)
        if seen != ANSWERS:
            raise UsageError(f"task {task} {seen} at {host}:{port} already: {fault} would not show")
        return host, port, self.clock.monotonic() - began
