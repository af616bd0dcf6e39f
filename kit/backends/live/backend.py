"""The live backend: deploys the stack to a real account and deletes it afterwards, behind the guard and the ledger.

It uses boto3's configuration: a profile, a role, the environment's credentials, AWS_ENDPOINT_URL. It does not
distinguish AWS from a rehearsal's stand-in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from ...aws.client import Aws
from ...aws.deploy import Tell
from ...aws.template import Template
from ...core.errors import InfraError, KitError
from ...core.history import History
from ...core.ids import Ids
from ...core.threads import BlockingPool
from ...settings import Settings
from .. import capability
from ..capability import Level
from ..interface import Cloud
from . import tags
from .account import access_of, clock_of, identity
from .audit import audit, audit_error, marks_of
from .guard import Guard
from .inventory import AwsAccount
from .ledger import Header, RunLedger
from .mail import SesTransport
from .rates import RateLimiter
from .stack import LiveStack, StackPlan, plan_stack

NATIVE: Mapping[str, Level] = {
    capability.LOAD_BALANCER: Level.NATIVE,
    capability.SCALING: Level.NATIVE,
    capability.ECS_EXEC: Level.NATIVE,
    capability.SHARED_WORKSPACE: Level.NATIVE,
    capability.METRICS: Level.NATIVE,
    capability.FAULT_TASK: Level.NATIVE,
    capability.FAULT_PAUSE: Level.NATIVE,
    capability.FAULT_THROTTLE: Level.NATIVE,
    capability.FAULT_NETWORK: Level.NATIVE,
    capability.FAULT_EXPERIMENT: Level.NATIVE,
    capability.FAULT_START: Level.NATIVE,
}
"""Available in every account."""


def capabilities_of(settings: Settings) -> Mapping[str, Level]:
    """The capabilities of a live run with these settings; makes no AWS calls."""
    mail = Level.NATIVE if settings.live.mail_domain else Level.ABSENT
    mails = dict.fromkeys((capability.MAIL_IN, capability.MAIL_REPLIES), mail)
    return {**dict.fromkeys(capability.ALL, Level.ABSENT), **NATIVE, **mails}


class LiveBackend:
    """Deploys the stack to the account of the credentials, and deletes it at the end."""

    name = "live"

    def __init__(
        self, settings: Settings, folder: Path, history: History, *, run: str = "", tell: Tell | None = None
    ) -> None:
        """`folder` is the run's; `run` its id, generated when empty; `tell` receives lines of progress."""
        self._settings = settings
        self._folder = folder
        self._history = history
        self._tell = tell
        self._threads = BlockingPool()
        self._clock = clock_of(settings)
        self.run = run or Ids().run_id(self._clock.wall())
        self.guard = Guard(settings.account, settings.stack.name, settings.production)
        self.aws = Aws(access_of(settings), self._threads, history, gate=self.guard, pace=RateLimiter(self._clock))
        self.partition = "aws"
        self.ledger: RunLedger | None = None
        self.stack: LiveStack | None = None
        self.left_behind: list[str] = []
        """The findings of the final audit, a line each."""
        self._wanted: StackPlan | None = None
        self._up = False

    def capabilities(self) -> Mapping[str, Level]:
        return capabilities_of(self._settings)

    async def start(self) -> Cloud:
        """As `Backend.start`. Refuses before creating anything: a bad template, missing images, names of production,
        the wrong account, an unverified mail domain, a stack that is in use or foreign."""
        settings = self._settings
        wanted = self._wanted = plan_stack(settings)
        self.guard.refuse_production([settings.stack.name, *wanted.names, *wanted.parameters.values()])
        self._history.follow(self._clock)
        try:
            stack = await self._enter()
            deployed = await stack.bring_up(wanted)
        except BaseException as error:
            await self._give_up(error)
            raise
        if settings.live.mail_domain:
            self.guard.own_domains(deployed.mail_domain, deployed.client_mail_domain)
        self._up = True
        return Cloud(
            aws=self.aws,
            clock=self._clock,
            stack=deployed,
            mail=SesTransport(self.aws, deployed, self._clock, settings.region),
            threads=self._threads,
            region=settings.region,
            account=settings.account,
            capabilities=self.capabilities(),
            evidence=(str(self.ledger.path),) if self.ledger is not None else (),
            undo_book=self.ledger,
            tags=tags.tags(settings.stack.name, self.run, self._clock.now() + settings.live.expires),
        )

    async def destroy(self) -> bool:
        """Deletes the stack in the settings, whichever run of the kit created it; False when there is none. Needs no
        `start`.

        Raises `Refused` for a stack that is not the kit's, `UsageError` for one in use, `InfraError` when the deletion
        fails.
        """
        try:
            return await (await self._enter()).take_down()
        finally:
            self.aws.close()
            self._threads.close()

    async def _enter(self) -> LiveStack:
        """Verifies the account, then opens the ledger."""
        settings = self._settings
        who = await identity(self.aws)
        self.guard.verify_account(who)
        self.partition = str(who["Arn"]).split(":")[1]
        header = Header(
            run=self.run,
            account=settings.account,
            region=settings.region,
            stack=settings.stack.name,
            expires=self._clock.now() + settings.live.expires,
        )
        self.ledger = RunLedger.of_run(settings.report_dir, header, self._clock)
        self.guard.trust(self.ledger.holds)
        self.stack = LiveStack(
            settings, self.aws, clock=self._clock, guard=self.guard, ledger=self.ledger, tell=self._tell
        )
        return self.stack

    async def health(self) -> str | None:
        if not self._up or self.stack is None:
            return "the stack is not deployed"
        return self.stack.lease.lost() if self.stack.lease is not None else None

    async def internal_errors(self) -> list[str]:
        """AWS reports none; an outage appears as failing calls."""
        return []

    async def stop(self, *, keep: bool = False) -> None:
        """As `Backend.stop`. Leaves a stack that is to be reused, and one whose lease was lost."""
        stack, ledger = self.stack, self.ledger
        was_up, self._up, self.stack = self._up, False, None
        try:
            if stack is None or ledger is None:
                return
            lost = stack.lease.lost() if stack.lease is not None else None
            if lost is not None:
                raise InfraError(
                    f"{lost}: nothing was deleted",
                    where=str(ledger.path),
                    next="when no run uses the stack any more: kit destroy, or kit janitor",
                )
            if stack.adopted or (was_up and (keep or self._settings.live.reuse)):
                stack.kept()
                if stack.lease is not None:
                    await stack.lease.release()
                self._say(f"stack {self._settings.stack.name} is kept; delete it with: kit destroy")
                await self._audit(kept=stack)
            else:
                await stack.remove()
                await self._audit()
        except BaseException as error:
            # Whoever cleans up after this run need not wait for the lease to run out.
            if stack is not None and stack.lease is not None:
                with contextlib.suppress(Exception):
                    await stack.lease.release()
            if isinstance(error, KitError) or not isinstance(error, Exception):
                raise
            raise InfraError(
                f"the clean-up did not finish: {error}",
                where=str(ledger.path) if ledger is not None else "",
                next="kit janitor shows the leftovers, kit janitor --yes removes them",
            ) from error
        finally:
            self.aws.close()
            self._threads.close()

    async def _audit(self, kept: LiveStack | None = None) -> None:
        """Proves that no resource of this run is left, except a kept stack. Raises `InfraError`."""
        assert self.ledger is not None and self._wanted is not None
        template = Template.read(self._wanted.template, self._wanted.parameters)
        marks = marks_of(self._settings.stack.name, self.run, template, self.ledger.ids())
        account = AwsAccount(self.aws, self._settings.region, self._settings.account, self.partition)
        left = await audit(account, self._clock, marks, kept=await kept.parts() if kept is not None else ())
        self.left_behind = list(map(str, left))
        if left:
            raise audit_error(left, self.run)
        self._say("audit: nothing of this run is left in the account" + (", but for the stack" if kept else ""))

    async def _give_up(self, error: BaseException) -> None:
        """Cleans up after a failed start; a second failure is added to the first as a note."""
        stack = self.stack
        if self._settings.live.keep_on_failure and stack is not None:
            stack.kept()
            self._say(f"stack {self._settings.stack.name} is kept as it failed; delete it with: kit destroy")
            self.stack = None
        try:
            made = self.ledger is not None and bool(self.ledger.open())
            if not made:
                if stack is not None and stack.lease is not None:
                    await stack.lease.release()
                self.stack = None
            await self.stop()
        except Exception as second:
            error.add_note(f"cleaning up failed as well: {second}")
            self._say(f"cleaning up failed: {second}")

    def _say(self, line: str) -> None:
        if self._tell is not None:
            self._tell(line)
