"""Four things that are easily taken for each other: process alive, port open, target healthy, page served.

    DescribeTasks        /proc/net/tcp by ECS Exec      DescribeTargetHealth      GET through the load balancer
    process alive   <--   port open                <--   target healthy      <--   page served

Each is looked at where it is told, and none is concluded from another.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from . import phases
from .context import Context
from .files import Files
from .preview import Preview
from .services import Services
from .sessions import TestSession
from .together import together

_LISTENING = 'grep -ihs ":$(printf %04X "$PORT") [0-9A-F]*:0000 0A " /proc/net/tcp /proc/net/tcp6'
"""State 0A of /proc/net/tcp is LISTEN; every image has grep, and none needs a tool for this."""


_SAMPLE_EVERY = 5.0
"""AWS seconds."""


@dataclass(frozen=True)
class Seen:
    """One look at one of the four."""

    holds: bool
    what: str
    """What was seen, in a few words."""

    def __str__(self) -> str:
        return self.what


Look = Callable[[], Awaitable[Seen]]


class Readiness:
    """Looks at the edit service's four signs of life, each by itself."""

    def __init__(self, context: Context, files: Files, preview: Preview, services: Services) -> None:
        self._context = context
        self._files = files
        self._preview = preview
        self._services = services

    async def process_alive(self) -> Seen:
        """Whether ECS tells of a container that runs."""
        tasks = await self._services.tasks("edit")
        statuses = [container["lastStatus"] for task in tasks for container in task["containers"]]
        return Seen("RUNNING" in statuses, f"containers: {', '.join(statuses) or 'none'}")

    async def port_open(self) -> Seen:
        """Whether something listens on the container's port, told by the kernel inside."""
        from ..ecs_exec.client import ExecError  # noqa: PLC0415 - heavy: only where a command is run

        try:
            result = await self._files.run(_LISTENING)
        except (LookupError, ExecError) as nobody_in:  # no task, or one that goes
            return Seen(False, str(nobody_in))
        addresses = [line.split()[1] for line in result.output.splitlines() if len(line.split()) > 1]
        return Seen(result.exit_code == 0, f"listening at {', '.join(addresses) or 'nothing'}")

    async def target_healthy(self) -> Seen:
        """Whether the load balancer has a healthy target."""
        targets = await self._services.targets("edit")
        return Seen(
            any(target.state == "healthy" for target in targets), f"targets: {', '.join(map(str, targets)) or 'none'}"
        )

    async def page_served(self, session: TestSession, page: str) -> Seen:
        """Whether a page of the session is served, with the session's own marker in it."""
        answer = await self._preview.fetch(session, page)
        marked = session.marker in answer.body
        return Seen(answer.status == 200 and marked, f"{answer.status}, marker {'there' if marked else 'absent'}")

    def of(self, session: TestSession, page: str) -> dict[str, Look]:
        """The four, by their phases, each resting on those before it."""
        return self.of_container() | {phases.PAGE_SERVED: lambda: self.page_served(session, page)}

    def of_container(self) -> dict[str, Look]:
        """The three that need no session: they are there, or not, whoever asks."""
        return {
            phases.PROCESS_ALIVE: self.process_alive,
            phases.PORT_OPEN: self.port_open,
            phases.TARGET_HEALTHY: self.target_healthy,
        }

    async def observe(self, session: TestSession, page: str, *, within: float) -> None:
        """Wait for all four at once, each on its own; the first sight of each is a phase of the journey.

        Raises what the first of those met that did not come; the others are seen to their end all the same.
        """
        __tracebackhide__ = True

        async def first_sight(phase: str, look: Look) -> None:
            __tracebackhide__ = True
            await self._context.eventually(
                look,
                until=lambda seen: seen.holds,
                within=within,
                describe=f"{phase}, for {session}",
                next="see the service's events and the task's log: kit status, kit logs edit",
            )
            self._context.timeline.mark(phase, _SOURCES[phase])

        await together(first_sight(phase, look) for phase, look in self.of(session, page).items())

    @asynccontextmanager
    async def sampling(self) -> AsyncIterator[None]:
        """Look out for the three of a container meanwhile, each on its own: a Hermes that answers late brings them
        up while it is still being asked. The first sight of each is a phase of the journey; what has not come when
        the block ends is looked for by whoever needs it."""
        over = asyncio.Event()

        async def look_out(phase: str, look: Look) -> None:
            while not over.is_set():
                if (await look()).holds:
                    self._context.timeline.mark(phase, _SOURCES[phase])
                    return
                await self._context.clock.sleep(_SAMPLE_EVERY)

        looks = [asyncio.create_task(look_out(phase, look)) for phase, look in self.of_container().items()]
        try:
            yield
        finally:
            over.set()
            await together(looks)

    async def verify_no_container(self) -> None:
        """Check by one look each that none of the three is there."""
        __tracebackhide__ = True
        for phase, look in self.of_container().items():
            seen = await look()
            self._context.checks.check(not seen.holds, f"no {phase}, of whatever container", seen=seen)

    async def verify(self, session: TestSession, page: str, expected: dict[str, bool]) -> None:
        """Check by one look each which of the four hold."""
        __tracebackhide__ = True
        for phase, look in self.of(session, page).items():
            if phase in expected:
                seen = await look()
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
