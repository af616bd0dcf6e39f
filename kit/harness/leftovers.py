"""Leftovers of a scenario in the stack's services, queues and this run's rows: found and removed."""

from __future__ import annotations

from ..core.errors import WaitExpired
from ..system.facts import SERVICES, Service
from .context import Context
from .inbound import depth_of
from .services import Services
from .sessions import Sessions


class Leftovers:
    """Finds orphans and cleans up."""

    def __init__(self, context: Context, services: Services, sessions: Sessions) -> None:
        self._context = context
        self._services = services
        self._sessions = sessions

    async def orphans(self) -> list[str]:
        """One line for each leftover task, target, open session and queue with messages."""
        stack = self._context.cloud.stack
        return [
            *await self._tasks(),
            *[line for service in SERVICES for line in await self._targets(service)],
            *await self._open_sessions(),
            *await self._messages("inbound", stack.inbound_queue_url),
            *await self._messages("dead-letter", stack.dead_letter_queue_url),
        ]

    async def verify_none(self) -> None:
        """Check that nothing is left; waits for answers that lag behind."""
        __tracebackhide__ = True
        await self._context.eventually(
            self.orphans,
            until=lambda found: not found,
            within=self._context.settings.timeouts.scale_down,
            every=2.0,
            describe="no task, target, open session or message to be left",
        )

    async def clean_up(self) -> list[str]:
        """Remove the orphans, by force where needed; returns them. Raises `WaitExpired` if any stays.

        Only for Webordinary: of another system the kit does not know what may be removed.
        """
        if not self._context.cloud.stack.is_webordinary:
            return []
        found = await self.orphans()
        if not found:
            return []
        self._context.history.note("clean_up", value={"found": found})
        await self.drop_work()
        timeouts = self._context.settings.timeouts
        for service in SERVICES:
            await self._services.force_scale_down(service, 0, within=timeouts.scale_down + timeouts.health)
        left = await self.orphans()
        if left:
            raise WaitExpired(f"expected: nothing left after cleaning up\nseen: {'; '.join(left)}")
        return found

    async def drop_work(self) -> None:
        """Delete this run's open sessions, and all messages of the inbound and the dead-letter queue."""
        for row in await self._sessions.still_open():
            await self._sessions.delete(row)
        for url in (self._context.cloud.stack.inbound_queue_url, self._context.cloud.stack.dead_letter_queue_url):
            if not (await depth_of(self._context.cloud.aws, url)).empty:
                await self._context.cloud.aws.call("sqs", "purge_queue", QueueUrl=url)

    async def _tasks(self) -> list[str]:
        return [
            f"task {task['taskArn'].rsplit('/', 1)[-1]} of {task.get('group', '?')} is {task['lastStatus']}"
            for task in await self._services.tasks()
        ]

    async def _targets(self, service: Service) -> list[str]:
        return [f"target {target} of {service}" for target in await self._services.targets(service)]

    async def _open_sessions(self) -> list[str]:
        return [
            f"session {row.session_id} of {row.user_id} is {row.status}" for row in await self._sessions.still_open()
        ]

    async def _messages(self, name: str, url: str) -> list[str]:
        depth = await depth_of(self._context.cloud.aws, url)
        return [] if depth.empty else [f"{depth.visible + depth.in_flight} message(s) in the {name} queue"]
