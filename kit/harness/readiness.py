"""Four signs of readiness, observed one by one: process alive, port open, target healthy, page served.

    DescribeTasks        /proc/net/tcp by ECS Exec      DescribeTargetHealth      GET through the load balancer
    process alive   <--   port open                <--   target healthy      <--   page served

None is inferred from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ..core.errors import WaitExpired
from . import phases
from .context import Context
from .files import Files
from .preview import Preview
from .services import Services
from .sessions import TestSession

_LISTENING = 'grep -ihs ":$(printf %04X "$PORT") [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6'
"""State 0A of /proc/net/tcp is LISTEN. Every image has grep; no other tool is needed."""
_SAMPLE_EVERY = 5.0
"""AWS seconds."""


@dataclass(frozen=True)
class Observation:
    """One observation of one of the four signs."""

    holds: bool
    what: str
    """The details, in a few words."""

    def __str__(self) -> str:
        return self.what


Probe = Callable[[], Awaitable[Observation]]


class Readiness:
    """Observes the four signs of the edit service."""

    def __init__(self, context: Context, files: Files, preview: Preview, services: Services) -> None:
        self._context = context
        self._files = files
        self._preview = preview
        self._services = services

    async def process_alive(self) -> Observation:
        """Whether ECS reports a running container."""
        tasks = await self._services.tasks("edit")
        statuses = [container["lastStatus"] for task in tasks for container in task["containers"]]
        return Observation("RUNNING" in statuses, f"containers: {', '.join(statuses) or 'none'}")

    async def port_open(self) -> Observation:
        """Whether a process listens on the container's port, according to the kernel inside."""
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        try:
            result = await self._files.run(_LISTENING)
        except (LookupError, ExecError) as error:  # no task, or a stopping one
            return Observation(False, str(error))
        addresses = [line.split()[1] for line in result.output.splitlines() if len(line.split()) > 1]
        return Observation(result.exit_code == 0, f"listening at {', '.join(addresses) or 'nothing'}")

    async def target_healthy(self) -> Observation:
        """Whether the load balancer has a healthy target."""
        targets = await self._services.targets("edit")
        return Observation(
            any(target.state == "healthy" for target in targets), f"targets: {', '.join(map(str, targets)) or 'none'}"
        )

    async def page_served(self, session: TestSession, page: str) -> Observation:
        """Whether a page of the session is served with the session's marker in it."""
        answer = await self._preview.fetch(session, page)
        marked = session.marker in answer.body
        return Observation(
            answer.status == 200 and marked, f"{answer.status}, marker {'there' if marked else 'absent'}"
        )

    def of(self, session: TestSession, page: str) -> dict[str, Probe]:
        """The probes of all four signs by phase, each sign depending on those before it."""
        return self.of_container() | {phases.PAGE_SERVED: lambda: self.page_served(session, page)}

    def of_container(self) -> dict[str, Probe]:
        """The probes of the three signs of a container, which need no session."""
        return {
            phases.PROCESS_ALIVE: self.process_alive,
            phases.PORT_OPEN: self.port_open,
            phases.TARGET_HEALTHY: self.target_healthy,
        }

    async def observe(self, session: TestSession, page: str, *, within: float) -> None:
        """Wait for all four concurrently and mark the first observation of each as a phase of the journey.

        All four waits run to their ends; then the first `WaitExpired`, in the order of the phases, is raised.
        """
        __tracebackhide__ = True

        async def wait(phase: str, probe: Probe) -> WaitExpired | None:
            try:
                await self._context.eventually(
                    probe,
                    until=lambda seen: seen.holds,
                    within=within,
                    describe=f"{phase}, for {session}",
                    next="see the service's events and the task's log: kit status, kit logs edit",
                )
            except WaitExpired as expired:
                return expired
            self._context.timeline.mark(phase, _SOURCES[phase])
            return None

        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(wait(phase, probe)) for phase, probe in self.of(session, page).items()]
        errors = [error for one in waits if (error := one.result()) is not None]
        if errors:
            raise errors[0]

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Sample the three signs of a container inside the block; the first observation of each is marked as a phase.

        For a Hermes that answers late: the container starts while the request is still open.
        """
        over = asyncio.Event()

        async def sample(phase: str, probe: Probe) -> None:
            while not over.is_set():
                if (await probe()).holds:
                    self._context.timeline.mark(phase, _SOURCES[phase])
                    return
                await self._context.clock.sleep(_SAMPLE_EVERY, background=True)

        async with asyncio.TaskGroup() as group:
            for phase, probe in self.of_container().items():
                group.create_task(sample(phase, probe))
            try:
                yield
            finally:
                over.set()

    async def verify_no_container(self) -> None:
        """Check by one observation each that none of a container's three signs holds."""
        __tracebackhide__ = True
        for phase, probe in self.of_container().items():
            seen = await probe()
            self._context.checks.check(not seen.holds, f"no {phase}, of any container", seen=seen)

    async def verify(self, session: TestSession, page: str, expected: dict[str, bool]) -> None:
        """Check by one observation each which of the four signs hold."""
        __tracebackhide__ = True
        for phase, probe in self.of(session, page).items():
            if phase in expected:
                seen = await probe()
                wanted = expected[phase]
                self._context.checks.check(
                    seen.holds is wanted, f"{'' if wanted else 'no '}{phase}, for {session}", seen=seen
                )


_SOURCES = {
    phases.PROCESS_ALIVE: "DescribeTasks",
    phases.PORT_OPEN: "/proc/net/tcp by ECS Exec",
    phases.TARGET_HEALTHY: "DescribeTargetHealth",
    phases.PAGE_SERVED: "GET of the session's own page",
}
