"""The harness: the verbs of one scenario or test on one cloud.

No verb has a fallback: it uses the system under test, or the scenario fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..aws.client import Aws
from ..aws.outputs import Stack
from ..core.clock import Clock, epoch
from ..core.history import History
from ..core.measurement import Duration
from ..faults.fault import Fault
from ..faults.nemesis import Injection
from ..settings import Settings, Timeouts
from ..system.contract import SessionRow
from ..system.facts import EXPIRED, SERVICES, Service, System
from . import phases
from .balancer import Balancer
from .capacity import Capacity
from .checks import Checks
from .context import Context
from .developer import Developer
from .evidence import collect
from .faults import nemesis
from .files import Files
from .held_request import HeldRequests
from .hot_reload import HotReload
from .http import Answer, Http
from .inbound import Inbound
from .leftovers import Leftovers
from .letter import Letter
from .mail import Mail, SentMail
from .mailbox import Mailbox, Reply
from .markers import Markers
from .metrics import Metrics
from .phases import Timeline
from .preview import Preview
from .readiness import Readiness
from .repositories import Repositories
from .sentinel import Sentinel
from .services import Services, TaskCount
from .session_api import SessionApi
from .sessions import Sessions, TestSession
from .steps import Step, Steps

if TYPE_CHECKING:
    from ..ecs_exec import ExecResult

T = TypeVar("T")


class Harness:
    """The verbs of a scenario. Its parts (`services`, `sessions`, …) have further ones."""

    def __init__(self, context: Context, mailbox: Mailbox, steps: Steps) -> None:
        self._context = context
        self._steps = steps
        self.settings: Settings = context.settings
        self.timeouts: Timeouts = context.settings.timeouts
        """The budgets, in AWS seconds."""
        self.clock: Clock = context.clock
        self.history: History = context.history
        """The run's history, which checkers read: record in it what they must know."""
        self.aws: Aws = context.cloud.aws
        """AWS API calls, each an operation of the history: `await h.aws.call("sqs", "send_message", …)`."""
        self.stack: Stack = context.cloud.stack
        """The deployed stack: `h.stack["QueueUrl"]` is an output of its template."""
        self.system: System = context.system
        self.checks: Checks = context.checks
        self.http = Http(context.clock)
        self.services = Services(context)
        self.sessions = Sessions(context, self.http)
        self.preview = Preview(context, self.http, self.services)
        self.mail = Mail(context, mailbox)
        self.inbound = Inbound(context)
        self.developer = Developer(context)
        self.files = Files(context, self.services)
        self.metrics = Metrics(context)
        self.capacity = Capacity(context, self.services)
        self.sentinel = Sentinel(context, self.files)
        self.markers = Markers(context, self.files)
        self.balancer = Balancer(context)
        self.hot_reload = HotReload(context)
        self.held_requests = HeldRequests(context, self.http)
        self.faults = nemesis(context, self.files)
        self.repositories = Repositories(context, self.files)
        self.session_api = SessionApi(context, self.http, self.sessions)
        self.readiness = Readiness(context, self.files, self.preview, self.services)
        self.leftovers = Leftovers(context, self.services, self.sessions)

    @property
    def timeline(self) -> Timeline:
        """The phases of the journey under way."""
        return self._context.timeline

    def new_marker(self) -> str:
        """A unique word, to look for at every hop."""
        return self._context.ids.marker()

    def new_user(self, marker: str) -> str:
        """The address of a new user, whose replies come back to this run."""
        return self.system.user_address(f"{self.settings.test_data.user}{marker}")

    async def eventually(self, probe: Callable[[], Awaitable[T]], *, within: float, describe: str, **how: Any) -> T:
        """Wait on this cloud's clock; see `kit.core.eventually.eventually`. A successful wait counts as a check."""
        __tracebackhide__ = True
        return await self._context.eventually(probe, within=within, describe=describe, **how)

    # ---- Steps and checks
    def step(self, name: str, *, target: float | None = None, by_chance: bool = False) -> AbstractContextManager[Step]:
        """A named step of the report; `target` is AWS seconds.

        `by_chance` says that its number of checks varies between runs, so comparisons of runs ignore the number.
        """
        return self._steps.step(name, target=target, by_chance=by_chance)

    def journey(self, entry: str) -> Timeline:
        """Begin a new journey, whose phases count from now."""
        self._context.journeys.append(Timeline(self._context.clock, entry=entry))
        return self.timeline

    def check(self, holds: object, what: str, **seen: Any) -> None:
        """Assert; see `Checks.check`."""
        __tracebackhide__ = True
        self.checks.check(holds, what, **seen)

    def check_within(self, what: str, aws_seconds: float, target: float) -> None:
        """Assert that something took at most `target` AWS seconds, if this clock can tell; see `Duration.met`.

        The report shows it as a separate step.
        """
        __tracebackhide__ = True
        self._measured(what, Duration.of(aws_seconds, self._context.clock, target))

    def _measured(self, what: str, measured: Duration) -> None:
        __tracebackhide__ = True
        self._steps.measured(what, measured)
        if measured.met is not None:
            self.check(
                measured.met,
                f"{what} within {measured.target:g} AWS s",
                seen=f"{measured.aws_seconds:.1f} AWS s",
                target=measured.target,
            )

    # ---- Faults
    def fault(self, fault: Fault, *, wait: bool | None = None) -> AbstractAsyncContextManager[Injection]:
        """Inject a fault for the duration of the block; see `Nemesis.fault`."""
        return self.faults.fault(fault, wait=wait)

    # ---- Sessions
    async def create_test_session(
        self, instruction: str, *, marker: str = "", user_id: str | None = None, client_id: str | None = None
    ) -> TestSession:
        """Open a session by HTTP through the load balancer; see `Sessions.create`.

        `marker` is a word of the instruction to look for in pages; `user_id` is a new user unless given.
        """
        __tracebackhide__ = True
        session = await self.sessions.create(
            client_id=client_id or self.settings.test_data.client_id,
            user_id=user_id or self.new_user(marker or self.new_marker()),
            instruction=instruction,
            marker=marker,
        )
        self.timeline.mark(phases.SESSION_ACCEPTED, "POST /hermes/api/sessions/activate")
        return session

    async def wait_for_session(self, sent: SentMail) -> TestSession:
        """Wait for Hermes to receive the mail and for the session that it opens, by their rows."""
        __tracebackhide__ = True
        received = await self.mail.wait_for_receipt(sent, within=self.timeouts.wake)
        self.timeline.mark(phases.MESSAGE_RECEIVED, "receivedAt of the mail row", at=received)
        return await self.sessions.of_user(
            self.settings.test_data.client_id, sent.sender, marker=sent.marker, within=self.timeouts.wake
        )

    async def session_row(self, session: TestSession) -> SessionRow | None:
        return await self.sessions.row(session)

    async def verify_session_exists(self, session: TestSession) -> SessionRow:
        """Check the session's row; see `Sessions.verify_exists`."""
        __tracebackhide__ = True
        row = await self.sessions.verify_exists(session)
        self.timeline.mark(phases.SESSION_ROW, "createdAt of the session row", at=epoch(row.created_at_iso))
        return row

    async def verify_session_status(self, session: TestSession, status: str) -> None:
        """Check the current status of the session's row."""
        __tracebackhide__ = True
        row = await self.session_row(session)
        self.check(row is not None and row.status == status, f"{session} to be {status}", seen=row and row.status)

    async def wait_for_all_sessions_expired(self, sessions: Sequence[TestSession]) -> None:
        __tracebackhide__ = True
        await self.sessions.wait_for_all_expired(
            sessions, within=self.timeouts.session_expiry + self.timeouts.scale_down
        )

    def visiting(self, session: TestSession) -> AbstractAsyncContextManager[None]:
        """Keep the session's preview open inside the block; see `Preview.visiting`."""
        return self.preview.visiting(session)

    # ---- Services
    async def service_task_count(self, service: Service) -> TaskCount:
        """The tasks of a service; see `Services.count`."""
        __tracebackhide__ = True
        return await self.services.count(service)

    async def verify_service_task_count(self, service: Service, expected: int) -> None:
        """Check a service's exact task count; for zero, no task may exist in any state but STOPPED."""
        __tracebackhide__ = True
        count = await self.service_task_count(service)
        holds = count.nothing_left if expected == 0 else count.running == expected and count.pending == 0
        self.check(holds, f"service {service} to have exactly {expected} task(s)", seen=count)

    async def force_scale_down(self, service: Service, to: int = 0) -> None:
        """Set a service's desired count and wait for it; see `Services.force_scale_down`."""
        __tracebackhide__ = True
        await self.services.force_scale_down(service, to, within=self.timeouts.scale_down + self.timeouts.health)

    async def wait_for_service_stable(self, service: Service) -> None:
        __tracebackhide__ = True
        await self.services.wait_for_stable(service, within=self.timeouts.recovery)

    async def wait_for_container_ready(self, session: TestSession, *, within: float | None = None) -> Answer:
        """Wait until the session's own page is served; see `Preview.wait_until_ready`."""
        __tracebackhide__ = True
        return await self.preview.wait_until_ready(
            session, within=self.timeouts.container_ready if within is None else within
        )

    # ---- Files and commands in the containers
    async def exec_in_container(self, command: str, *, service: Service = "edit") -> ExecResult:
        """Run a shell command in a container; the workspace is at `"$WORKSPACE_PATH"`."""
        return await self.files.run(command, service=service)

    async def verify_file_exists(self, path: str) -> ExecResult:
        """Check from inside a container that a workspace file exists, within the target `timeouts.file_check`.

        `path` is relative to the workspace, such as `session.path("src/pages/prices.astro")`.
        """
        __tracebackhide__ = True
        result = await self.files.verify_exists(path)
        # Neither depends on a timer of AWS: both take as long on a fast clock as in real time.
        opening, check = result.opening, result.seconds - result.opening
        self._measured("a session of ECS Exec is opened", Duration(opening, opening))
        self._measured("a file's check by ECS Exec", Duration(check, check, self.timeouts.file_check))
        return result

    # ---- Preview
    async def fetch_preview(self, session: TestSession, page: str = "") -> Answer:
        """GET the session's preview, or one of its pages by its slug."""
        return await self.preview.fetch(session, page)

    async def wait_for_change(self, session: TestSession, page: str, *, within: float) -> Answer:
        """Wait until a page is served and contains the session's marker; see `Preview.wait_for_change`."""
        __tracebackhide__ = True
        return await self.preview.wait_for_change(session, page, within=within)

    # ---- Mail
    async def send_mail(
        self,
        instruction: str,
        *,
        marker: str = "",
        sender: str | None = None,
        client_id: str | None = None,
        subject: str = "Please change my site",
        html: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> SentMail:
        """Send a mail to the stack's address as a user would.

        `marker` is a word of the instruction to look for in pages and the reply; `sender` is a new user unless given.
        """
        sent = await self.mail.send(
            Letter(instruction, subject=subject, html=html, headers=headers or {}),
            sender=sender or self.new_user(marker or self.new_marker()),
            to=self.system.address_for(client_id or self.settings.test_data.client_id),
            marker=marker,
        )
        self.timeline.mark(phases.MAIL_ACCEPTED, "SMTP 250", at=sent.accepted)
        return sent

    async def wait_for_reply(self, sent: SentMail, *, within: float | None = None) -> Reply:
        __tracebackhide__ = True
        reply = await self.mail.wait_for_reply(sent, within=self.timeouts.reply if within is None else within)
        self.timeline.mark(phases.REPLY, "mail.timestamp of the reply", at=reply.sent)
        return reply

    # ---- The end
    async def wait_for_idle(self, session: TestSession, *, journey: Timeline | None = None) -> None:
        """Wait, without any request, until the session is expired and both services are at zero.

        The end is marked as a phase of `journey`, by default of the current one.
        """
        __tracebackhide__ = True
        await self.sessions.wait_for_status(
            session, EXPIRED, within=self.timeouts.session_expiry + self.timeouts.scale_down
        )
        await self.services.wait_for_zero(SERVICES, within=self.timeouts.idle_shutdown)
        stopped = [task["stoppedAt"].timestamp() for task in await self.services.tasks(stopped=True)]
        (journey or self.timeline).mark(phases.ZERO_TASKS, "stoppedAt of the last task", at=max(stopped, default=None))

    async def verify_no_orphans(self) -> None:
        """Check that no task, target, open session or message is left."""
        __tracebackhide__ = True
        await self.leftovers.verify_none()

    async def collect_evidence(self, folder: Path, name: str, since: float) -> tuple[str, ...]:
        """Write logs and state to files of the run; see `kit.harness.evidence`."""
        return await collect(self._context, self.services, folder, name, since)

    async def cleanup(self) -> list[str]:
        """Remove what is left and return it; see `Leftovers.clean_up`."""
        return await self.leftovers.clean_up()

    async def close(self) -> None:
        """Close connections and readers."""
        await self.mail.close()
        await self.http.close()
