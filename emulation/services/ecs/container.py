"""Runs one container of a task: dependencies, start, health, restarts, exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from ...time.clock import Clock
from .condition import Condition
from .logs import LogStream
from .model import Container
from .runtime import CannotStart, Output, RunningContainer
from .task_definition import Dependency, HealthCheck

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
_RESTART_PERIOD = 300.0
"""AWS seconds a container must have run to be restarted, unless its restart policy sets another value."""


@dataclass(eq=False)
class ContainerRun:
    """Runs one container and keeps its state in `container`."""

    clock: Clock
    container: Container
    condition: Condition
    log: LogStream | None
    launch: Callable[[Output], Awaitable[RunningContainer]]
    changed: Callable[[], None]
    """Called after every change of the container's state; notifies `condition`."""
    over: bool = False
    failure: str | None = None
    """Why it could not be started; also the container's `reason`."""
    running: RunningContainer | None = None
    _stopping: bool = False
    _killed: bool = False

    @property
    def begun(self) -> bool:
        """Whether it was started; also true after its end."""
        return self.container.started_at is not None or self.over

    async def run(self, peers: Mapping[str, ContainerRun]) -> None:
        """Returns after its last exit, when all its output is in its log."""
        try:
            for dependency in self.container.definition.depends_on:
                await self._wait_for_dependency(dependency, peers[dependency.container])
            again = True
            while again and not self._stopping:
                again = await self._once()
        except CannotStart as error:
            self.failure = self.container.reason = str(error)
        finally:
            if self.log is not None:
                await self.log.close()
            self.container.last_status = "STOPPED"
            self.container.finished_at = self.clock.now()
            self.over = True
            self.changed()

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL when it has not ended after its stop timeout."""
        self._stopping = True
        self.condition.notify()
        self._signal()
        timeout = self.clock.patience(self.container.definition.stop_timeout, least=2.0)
        if not await self.condition.wait_for(lambda: self.over, timeout):
            self.kill()
            await self.condition.wait_for(lambda: self.over)

    def kill(self) -> None:
        self._stopping = self._killed = True
        self.condition.notify()
        if self.running is not None:
            self.running.kill()

    async def _once(self) -> bool:
        """Run it until it exits, and return whether its restart policy restarts it."""
        try:
            self.running = await self.launch(self._write)
        except CannotStart as error:
            raise CannotStart(
                "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime task: "
                f"OCI runtime create failed: unable to start container process: {error}"
            ) from error
        started = self.clock.now()
        self.container.started_at = self.container.started_at or started
        self.container.last_status = "RUNNING"
        self.changed()
        if self._killed:  # while it was starting
            self.running.kill()
        elif self._stopping:
            self._signal()
        check = self.container.definition.health_check
        watch = check and asyncio.create_task(watch_health(self.clock, check, self.running.run, self._healthy))
        code = await self.running.wait()
        if watch:
            watch.cancel()
            await asyncio.wait({watch})
        self.container.exit_code = code
        if self.running.out_of_memory:
            self.container.reason = OUT_OF_MEMORY
        return self._restarts(code, self.clock.now() - started)

    def _restarts(self, code: int, ran: float) -> bool:
        policy = self.container.definition.raw.get("restartPolicy", {})
        return bool(
            policy.get("enabled")
            and not self._stopping
            and code not in policy.get("ignoredExitCodes", ())
            and ran >= policy.get("restartAttemptPeriod", _RESTART_PERIOD)
        )

    async def _wait_for_dependency(self, dependency: Dependency, peer: ContainerRun) -> None:
        """Wait for a `dependsOn` condition. Raises `CannotStart` when it can no longer be met, or is not met within the
        other container's start timeout."""

        def decided() -> bool:
            return self._stopping or peer.over or _meets(peer, dependency.condition)

        timeout = peer.container.definition.start_timeout
        await self.condition.wait_for(decided, timeout)
        if not self._stopping and not _meets(peer, dependency.condition):
            raise CannotStart(
                f"ContainerDependencyError: {self.container.name} waits for {dependency.condition} of "
                f"{dependency.container}, which is {peer.container.last_status} and {peer.container.health}, "
                f"exit code {peer.container.exit_code}."
            )

    async def _write(self, data: bytes) -> None:
        if self.log is not None:
            await self.log.write(data)

    def _signal(self) -> None:
        if self.running is not None:
            self.running.signal(signal.SIGTERM)

    def _healthy(self, health: str) -> None:
        if self.container.health != health:
            self.container.health = health
            self.changed()


def _meets(peer: ContainerRun, condition: str) -> bool:
    match condition:
        case "START":
            return peer.begun and peer.failure is None
        case "COMPLETE":
            return peer.over and peer.failure is None
        case "SUCCESS":
            return peer.over and peer.container.exit_code == 0
        case _:
            return not peer.over and peer.container.health == "HEALTHY"


async def watch_health(
    clock: Clock,
    check: HealthCheck,
    run: Callable[[Sequence[str]], Awaitable[int]],
    report: Callable[[str], None],
) -> None:
    """Run the check after each interval, until cancelled, and report HEALTHY or UNHEALTHY.

    A failure in the start period does not count unless the container was healthy before. A command that exceeds the
    timeout is killed and counts as failed."""
    begun = clock.now()
    failures = 0
    was_healthy = False
    while True:
        await clock.sleep(check.interval)
        started = clock.now()
        try:
            async with clock.timeout(clock.patience(check.timeout)):
                passed = await run(check.argv) == 0
        except TimeoutError:
            passed = False
        if passed:
            failures, was_healthy = 0, True
            report("HEALTHY")
        elif was_healthy or started - begun >= check.start_period:
            failures += 1
            if failures >= check.retries:
                report("UNHEALTHY")
