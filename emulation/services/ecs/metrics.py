"""Measures AWS/ECS CPUUtilization and MemoryUtilization of each service."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ...core.controller import Datum
from ...time.clock import Clock
from .model import Service, Task
from .runtime import Runtime
from .store import Store

_MIB = 1024 * 1024


class Utilization:
    """A `MetricSource`: one sample per task, in percent of its task size."""

    def __init__(self, clock: Clock, store: Store, runtime: Runtime) -> None:
        self._clock = clock
        self._store = store
        self._runtime = runtime
        self._before: dict[str, tuple[float, float]] = {}
        """Task id → (AWS time, CPU seconds) at the last collect."""

    async def collect(self) -> Iterable[Datum]:
        tasks = [each for each in self._store.tasks() if each.service and each.last_status == "RUNNING"]
        if not tasks:
            self._before.clear()
            return []
        cpu: dict[str, float] = defaultdict(float)
        memory: dict[str, float] = defaultdict(float)
        for (task_id, _), used in (await self._runtime.usage()).items():
            cpu[task_id] += used.cpu_seconds
            memory[task_id] += used.memory_bytes
        samples: dict[str, tuple[Service, list[float], list[float]]] = {}
        for task in tasks:
            if task.service is not None and task.id in cpu:
                _, cpus, memories = samples.setdefault(task.service.arn, (task.service, [], []))
                cpus.append(self._cpu_percent(task, cpu[task.id]))
                memories.append(100 * memory[task.id] / _MIB / max(task.size[1], 1))
        self._before = {task_id: (self._clock.now(), seconds) for task_id, seconds in cpu.items()}
        return [datum for sample in samples.values() for datum in _data(*sample)]

    def _cpu_percent(self, task: Task, cpu_seconds: float) -> float:
        """CPU time is measured in wall time, even when AWS time runs faster."""
        since, before = self._before.get(task.id, (task.started_at or task.created_at, 0.0))
        elapsed = max(self._clock.wall(self._clock.now() - since), 1e-3)
        return 100 * max(0.0, cpu_seconds - before) / elapsed / max(task.size[0], 1e-3)


def _data(service: Service, cpus: list[float], memories: list[float]) -> Iterable[Datum]:
    dimensions = {"ClusterName": service.cluster.name, "ServiceName": service.name}
    yield Datum("AWS/ECS", "CPUUtilization", dimensions, tuple(cpus), "Percent")
    yield Datum("AWS/ECS", "MemoryUtilization", dimensions, tuple(memories), "Percent")
