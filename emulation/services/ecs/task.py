"""Runs a task through its lifecycle; each state lasts as long as its work.

PROVISIONING   sandbox, volumes
PENDING        images, log streams, secrets
ACTIVATING     containers start in dependency order; targets are registered
RUNNING        until the task is stopped or an essential container exits
DEACTIVATING   targets drain
STOPPING       containers stop, dependent ones first
DEPROVISIONING the sandbox is released
STOPPED
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...core.controller import Caller, Context, Credentials
from ...core.errors import AwsError
from ..efs import NamedVolume, Storage
from .condition import Condition
from .container import ContainerRun
from .environment import container_environment, listening_ports
from .logs import LogStream
from .model import Container, Target, Task
from .registrations import TargetRegistrations
from .resources import FailedToStart, container_secrets, mount_volumes, open_logs
from .runtime import CannotPull, CannotStart, ContainerSpec, Mount, RunningContainer, Runtime, Sandbox, TaskSpec


@dataclass(frozen=True)
class TaskContext:
    """What all tasks share."""

    ctx: Context
    runtime: Runtime
    storage: Storage
    registrations: TargetRegistrations
    changed: Callable[[Task], None]
    """Called after every change of a task."""


class TaskRun:
    """Takes a task from PROVISIONING to STOPPED. `run` once; `stop` and `abort` at any time."""

    def __init__(self, machine: TaskContext, task: Task) -> None:
        self.task = task
        self._context = machine
        self._ctx = machine.ctx
        self._condition = Condition(machine.ctx.clock)
        self._aborted = False
        self._sandbox: Sandbox | None = None
        self._credentials: Credentials | None = None
        self._runs: dict[str, ContainerRun] = {}
        self._container_tasks: list[asyncio.Task[None]] = []
        self._agents: list[asyncio.Task[None]] = []
        self._folder = machine.ctx.workdir / "tasks" / task.id
        self._delays = machine.ctx.latency.resource(task.group)

    def stop(self, code: str, reason: str) -> None:
        """Stop the task; only the first call has an effect."""
        if not self.task.wanted:
            return
        self.task.desired_status = "STOPPED"
        self.task.stop_code = code
        self.task.stopped_reason = reason
        self.task.stopping_at = self._ctx.clock.now()
        self._notify()

    def abort(self) -> None:
        """Stop it at once, without draining targets or stop timeouts."""
        self._aborted = True
        self.stop("ServiceSchedulerInitiated", "The emulated cloud is shutting down.")
        self._condition.notify()
        for run in self._runs.values():
            run.kill()

    def running(self, container: str) -> RunningContainer | None:
        """A running container."""
        run = self._runs.get(container)
        return run.running if run is not None and not run.over else None

    async def run(self) -> None:
        try:
            await self._start()
            await self._condition.wait_for(lambda: not self.task.wanted)
        except FailedToStart as error:
            self.stop("TaskFailedToStart", str(error))
        except Exception as error:
            self._fail(error)
        try:
            await self._end()
        except Exception as error:
            self._fail(error)
        for container in self.task.containers:
            container.last_status = "STOPPED"
        self.task.stopped_at = self._ctx.clock.now()
        self._set_status("STOPPED")

    async def _start(self) -> None:
        """Returns early if the task is stopped. Raises `FailedToStart`."""
        self._set_status("PROVISIONING")
        await self._provision()
        volumes = await mount_volumes(self._context.storage, self.task, self._folder / "volumes")
        if self.task.wanted:
            self._set_status("PENDING")
            await self._pull()
            logs = await open_logs(self._ctx, self.task)
            secrets = await container_secrets(self._ctx, self.task)
        if self.task.wanted:
            self._set_status("ACTIVATING")
            await self._delay("ecs.task.start", unless=self._is_unwanted)
        if self.task.wanted:
            await self._activate(volumes, logs, secrets)
        if self.task.wanted:
            await self._register()
        if self.task.wanted:
            self.task.started_at = self._ctx.clock.now()
            self._set_status("RUNNING")

    async def _provision(self) -> None:
        task = self.task
        vcpus, memory = task.size
        self._folder.mkdir(parents=True)
        ports, count = listening_ports(task), len(task.containers)
        spec = TaskSpec(task.id, task.arn, self._folder, ports, vcpus, memory, task.labels, count)
        try:
            self._sandbox = await self._context.runtime.prepare(spec)
        except (CannotStart, OSError) as error:
            raise FailedToStart(f"ResourceInitializationError: no place can be made for the task: {error}") from error
        if task.attachment is not None:
            task.attachment.status, task.attachment.address = "ATTACHED", self._sandbox.address
        for container in task.containers:
            container.bindings = [
                {"bindIP": self._sandbox.address, "containerPort": port, "hostPort": real, "protocol": "tcp"}
                for port, real in self._sandbox.ports.items()
                if port in container.definition.ports and port != real
            ]
        await self._delay("ecs.task.provisioning", unless=self._is_unwanted)
        task.connected_at = self._ctx.clock.now()

    async def _pull(self) -> None:
        task = self.task
        task.pull_started_at = self._ctx.clock.now()
        for container in task.containers:
            pulling = self._context.runtime.pull(container.image)
            try:
                container.image_digest = await self._condition.cancel_when(lambda: not task.wanted, pulling)
            except CannotPull as error:
                container.reason = f"CannotPullContainerError: {error}"
                raise FailedToStart(container.reason) from error
        for image in sorted({container.image for container in task.containers}):
            await self._delay("ecs.task.image_pull", unless=self._is_unwanted, image=image)
        task.pull_stopped_at = self._ctx.clock.now()

    async def _activate(
        self,
        volumes: Mapping[str, Path | NamedVolume],
        logs: Mapping[str, LogStream],
        secrets: Mapping[str, Mapping[str, str]],
    ) -> None:
        assert self._sandbox is not None
        self._credentials = self._ctx.callers.issue(Caller("task", self.task.arn))
        for container in self.task.containers:
            environment = container_environment(
                self._ctx, self.task, container, self._credentials, secrets[container.name]
            )
            launch = partial(self._context.runtime.start, self._sandbox, self._spec(container, volumes, environment))
            log = logs.get(container.name)
            run = ContainerRun(
                self._ctx.clock, container, self._condition, log=log, launch=launch, changed=self._notify
            )
            self._runs[container.name] = run
        self._container_tasks = [asyncio.create_task(self._run_container(run)) for run in self._runs.values()]
        await self._condition.wait_for(lambda: not self.task.wanted or all(run.begun for run in self._runs.values()))
        for container in self.task.containers if self.task.enable_execute_command else ():
            self._start_agent(container, self._delays.draw("ecs_exec.agent"))

    def _spec(
        self, container: Container, volumes: Mapping[str, Path | NamedVolume], environment: Mapping[str, str]
    ) -> ContainerSpec:
        raw = container.definition.raw
        override = self.task.container_override(container.name)
        return ContainerSpec(
            name=container.name,
            image=container.image,
            environment=environment,
            command=tuple(override.get("command") or raw.get("command", ())),
            entry_point=tuple(raw.get("entryPoint", ())),
            mounts=tuple(
                Mount(volumes[each["sourceVolume"]], each["containerPath"], each.get("readOnly", False))
                for each in raw.get("mountPoints", ())
            ),
            ports=container.definition.ports,
            working_directory=raw.get("workingDirectory"),
            user=raw.get("user"),
            init_process=raw.get("linuxParameters", {}).get("initProcessEnabled", False),
            read_only=raw.get("readonlyRootFilesystem", False),
            cpu_units=override.get("cpu") or raw.get("cpu", 0),
            memory_mib=override.get("memory") or raw.get("memory"),
        )

    async def _run_container(self, run: ContainerRun) -> None:
        """Run one container; the end of an essential one stops the task."""
        try:
            await run.run(self._runs)
        except Exception as error:
            self._fail(error)
        essential = run.container.definition.essential
        if run.failure is not None and (essential or self.task.started_at is None):
            self.stop("TaskFailedToStart", run.failure)
        elif essential:
            self.stop("EssentialContainerExited", "Essential container in task exited")

    def _start_agent(self, container: Container, delay: float) -> None:
        """Connect the container's agent of ECS Exec after so many AWS seconds."""
        clock = self._ctx.clock
        if delay == 0:
            container.agent_at = clock.now()
            return

        async def connect() -> None:
            await clock.sleep(delay)
            container.agent_at = clock.now()
            self._notify()

        self._agents.append(asyncio.create_task(connect()))

    async def _register(self) -> None:
        assert self._sandbox is not None
        for balancer in self.task.load_balancers:
            port = self._sandbox.ports[balancer["containerPort"]]
            target = Target(balancer["targetGroupArn"], self._sandbox.address, port)
            self.task.targets.append(target)
            try:
                await self._context.registrations.register(target)
            except AwsError as error:
                raise FailedToStart(f"ResourceInitializationError: unable to register target: {error}") from error

    async def _end(self) -> None:
        task = self.task
        for agent in self._agents:
            agent.cancel()
        if task.targets:
            self._set_status("DEACTIVATING")
            await self._drain_targets()
        if self._runs:
            self._set_status("STOPPING")
            await self._stop_containers()
        task.execution_stopped_at = self._ctx.clock.now()
        self._set_status("DEPROVISIONING")
        if self._credentials is not None:
            self._ctx.callers.revoke(self._credentials.access_key_id)
        if self._sandbox is not None:
            await self._context.runtime.release(self._sandbox)
        await self._delay("ecs.task.deprovisioning", unless=lambda: self._aborted)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        if task.attachment is not None:
            task.attachment.status = "DELETED"

    async def _drain_targets(self) -> None:
        """Deregister, and let requests finish while a container runs."""
        registrations = self._context.registrations
        async with asyncio.TaskGroup() as group:
            for each in self.task.targets:
                group.create_task(registrations.deregister(each))
        drained = asyncio.gather(*(registrations.drained(each) for each in self.task.targets))
        await self._condition.cancel_when(
            lambda: self._aborted or all(run.over for run in self._runs.values()), drained
        )
        for each in self.task.targets:
            registrations.forget(each)

    def _all_over(self) -> bool:
        return all(run.over for run in self._runs.values())

    async def _stop_containers(self) -> None:
        """Stop dependent containers first."""
        if self._aborted:
            for run in self._runs.values():
                run.kill()
        left = dict(self._runs)
        while left:
            needed = {each.container for run in left.values() for each in run.container.definition.depends_on}
            layer = [name for name in left if name not in needed]
            await asyncio.gather(*(left.pop(name).stop() for name in layer))
        await asyncio.gather(*self._container_tasks)

    async def _delay(self, name: str, *, unless: Callable[[], bool], image: str = "") -> None:
        """AWS's own delay of this name; cut short when `unless` becomes true."""
        if seconds := self._delays.draw(name, image=image):
            await self._condition.cancel_when(unless, self._ctx.clock.sleep(seconds))

    def _is_unwanted(self) -> bool:
        return not self.task.wanted

    def _set_status(self, status: str) -> None:
        self.task.last_status = status
        self._notify()

    def _fail(self, error: Exception) -> None:
        self._ctx.log.error("task %s", self.task.arn, exc_info=error)
        self.stop("TaskFailedToStart", f"ServerException: the emulated cloud failed: {error!r}. This is its defect.")

    def _notify(self) -> None:
        self.task.version += 1
        self._condition.notify()
        self._context.changed(self.task)
