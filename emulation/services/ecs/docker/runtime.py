"""The Docker runtime: every container of a task is one of the engine, with ports published on 127.0.0.1 only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from ....core.addressing import LOOPBACK
from ..ports import Ports
from ..runtime import CannotStart, ContainerSpec, Output, Sandbox, TaskSpec, Usage
from . import engine_config
from .container import ContainerResources, EngineContainer
from .engine_run import ENGINE_ERRORS, EngineRun, engine_errors_as
from .images import Images
from .memory import TaskMemory


class DockerRuntime:
    """A `Runtime` of one engine's containers."""

    def __init__(self, host: EngineRun, images: Mapping[str, str]) -> None:
        """`images` maps images of task definitions to local ones; other images are used unchanged."""
        self._host = host
        self.images = Images(host, images)
        self._ports = Ports()
        self._places: dict[str, dict[str, EngineContainer]] = {}
        self._task_volumes: dict[str, set[str]] = {}
        self._holders: dict[str, EngineContainer] = {}
        """Task → the container that holds the network of its containers."""
        self._memory: dict[str, TaskMemory] = {}
        """Task → the memory limit of its containers."""

    async def prepare(self, task: TaskSpec) -> Sandbox:
        self._places[task.id], self._task_volumes[task.id] = {}, set()
        sandbox = Sandbox(task, LOOPBACK, {port: self._ports.take() for port in task.ports})
        if task.containers > 1:
            self._memory[task.id] = TaskMemory(int(task.memory_mib * engine_config.MIB))
            try:
                await self._hold_network(sandbox)
            except BaseException:
                await self.release(sandbox)
                raise
        return sandbox

    async def pull(self, image: str) -> str:
        return await self.images.pull(image)

    async def start(self, sandbox: Sandbox, container: ContainerSpec, output: Output) -> EngineContainer:
        place = self._places[sandbox.task.id]
        if (earlier := place.pop(container.name, None)) is not None:  # restarted by its restart policy
            await earlier.remove()
        await self._make_task_volumes(sandbox, container)
        holder = self._holders.get(sandbox.task.id)
        config = engine_config.container_config(
            sandbox,
            container,
            run=self._host.run,
            image=self.images.real(container.image),
            cpus=self._cpus(sandbox.task.vcpus),
            environment={name: self._host.for_container(value) for name, value in container.environment.items()},
            labels={**self._host.labels, "com.amazonaws.ecs.container-name": container.name},
            network=self._network(sandbox) if holder is None else engine_config.shared_network(holder.id),
        )
        name = engine_config.container_name(self._prefix(sandbox), container.name)
        started = await self._start(name, config, output, holder="" if holder is None else holder.id)
        place[container.name] = started
        if (memory := self._memory.get(sandbox.task.id)) is not None:
            memory.watch(started)
        return started

    async def usage(self) -> Mapping[tuple[str, str], Usage]:
        running = {
            (task, name): container
            for task, place in self._places.items()
            for name, container in place.items()
            if container.alive
        }
        used = await asyncio.gather(*(self._usage(container.id) for container in running.values()))
        return {key: usage for key, usage in zip(running, used, strict=True) if usage is not None}

    async def release(self, sandbox: Sandbox) -> None:
        task = sandbox.task
        containers = list(self._places.pop(task.id, {}).values())
        await asyncio.gather(*(container.remove() for container in containers))
        if (memory := self._memory.pop(task.id, None)) is not None:
            await memory.close()
        if (holder := self._holders.pop(task.id, None)) is not None:
            await holder.remove()
        for volume in self._task_volumes.pop(task.id, ()):
            with contextlib.suppress(*ENGINE_ERRORS):
                await self._host.remove_volume(volume)
        for port in sandbox.ports.values():
            self._ports.give_back(port)

    async def _start(
        self, name: str, config: Mapping[str, Any], output: Output, exec_user: str = "0", *, holder: str = ""
    ) -> EngineContainer:
        engine = self._host.engine
        cpus = config["HostConfig"].get("NanoCpus", engine.cpus * 1e9) / 1e9
        resources = ContainerResources(cpus, self._host.network, holder)
        with engine_errors_as(CannotStart):
            created = await engine.client.containers.create(dict(config), name=name)
        container = EngineContainer(engine, created, output, resources, exec_user=exec_user)
        await container.start()
        return container

    async def _make_task_volumes(self, sandbox: Sandbox, container: ContainerSpec) -> None:
        """Create the task's volumes explicitly: podman labels none that a container creates. Raises `CannotStart`."""
        made = self._task_volumes[sandbox.task.id]
        for volume in engine_config.task_volumes(sandbox, container, self._host.run) - made:
            with engine_errors_as(CannotStart):
                made.add(await self._host.create_volume(volume, {}))

    async def _hold_network(self, sandbox: Sandbox) -> None:
        network = self._network(sandbox)
        with engine_errors_as(CannotStart):
            image = await self._host.pause_image()
        config = {
            "Image": image,
            "Labels": {**sandbox.task.labels, **self._host.labels},
            "ExposedPorts": network["ExposedPorts"],
            "HostConfig": {**network["HostConfig"], "LogConfig": {"Type": "none"}},
        }
        self._holders[sandbox.task.id] = await self._start(f"{self._prefix(sandbox)}-network", config, _nothing)

    def _cpus(self, vcpus: float) -> float | None:
        """The limit in CPUs of this machine: the task size is CPU seconds per AWS second."""
        cpus = vcpus * self._host.scale
        return cpus if cpus < self._host.engine.cpus else None

    def _network(self, sandbox: Sandbox) -> dict[str, Any]:
        return engine_config.network_config(sandbox, self._host.network, self._host.this_machine)

    def _prefix(self, sandbox: Sandbox) -> str:
        family = sandbox.task.labels.get("com.amazonaws.ecs.task-definition-family", "task")
        return engine_config.container_name(self._host.run, family, sandbox.task.id[:12])

    async def _usage(self, container: str) -> Usage | None:
        stats: dict[str, Any] | None = None
        with contextlib.suppress(*ENGINE_ERRORS, ValueError):  # it has ended
            stats = await self._host.engine.json(f"containers/{container}/stats", {"stream": "0", "one-shot": "1"})
        memory = (stats or {}).get("memory_stats", {})
        if stats is None or "usage" not in memory:
            return None
        details = memory.get("stats", {})
        cache = details.get("total_inactive_file", details.get("inactive_file", 0))
        return Usage(stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9, max(0, memory["usage"] - cache))


async def _nothing(data: bytes) -> None:
    """The pause program has no output."""
