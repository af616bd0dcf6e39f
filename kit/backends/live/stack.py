"""The stack of a live run: deploys, adopts and deletes it, and records each step in the ledger.

no stack ------------------------> ledger --> change set --> create --> lease
the kit's, its run over --delete-> as no stack
the kit's, to be reused ---------> lease --> change set (empty when nothing differs)
the kit's, in use, or foreign ---> refused
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...aws.client import Aws
from ...aws.deploy import StackConflict, Tell, deploy, destroy, stack_named, template_text
from ...aws.outputs import Stack, outputs_of
from ...aws.template import Template, images, parameter_names
from ...core.clock import Clock
from ...core.errors import InfraError, UsageError
from ...settings import Settings
from . import account, tags
from .guard import Guard
from .lease import LEASE_TABLE, Lease, lease_holder, lease_table
from .ledger import STACK, Entry, RunLedger, ledgers
from .names import refuse_long_name

_PREFIXED = re.compile(r"\$\{ResourcePrefix\}[A-Za-z0-9_-]*")
USABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
"""Statuses of a complete stack that runs can use."""


@dataclass(frozen=True)
class StackPlan:
    """The deployment, as far as it is known without an account."""

    template: str
    parameters: Mapping[str, str]
    images: Sequence[str]
    names: Sequence[str]
    """Resource names that the prefix determines."""


def plan_stack(settings: Settings) -> StackPlan:
    """Template and parameters of a live stack. Raises `UsageError` for errors that can be found without an account."""
    template = template_text(settings.stack.template)
    known = parameter_names(template)
    own = {"MailDomain": settings.live.mail_domain, "CertificateArn": settings.live.certificate}
    parameters = {**{name: value for name, value in own.items() if name in known}, **settings.stack.parameters}
    needed = images(template, parameters)
    account.refuse_local_images(needed)
    if settings.live.certificate and settings.live.certificate.split(":")[3] != settings.region:
        raise UsageError(
            f"the certificate is in {settings.live.certificate.split(':')[3]}, and the stack goes to {settings.region}",
            where="live.certificate, region",
            next=f"a load balancer takes certificates of the same region: request one in {settings.region}",
        )
    if settings.live.certificate and not parameters.get("HostName"):
        raise UsageError(
            "live.certificate is set, but the parameter HostName is not",
            where="stack.parameters",
            next='name a DNS record that leads to the load balancer: [stack.parameters] HostName = "…"',
        )
    refuse_long_name(settings.stack.name, Template.read(template, parameters))
    prefix = parameters.get("ResourcePrefix", known.get("ResourcePrefix", ""))
    names = [found.replace("${ResourcePrefix}", prefix) for found in sorted(set(_PREFIXED.findall(template)))]
    return StackPlan(template, parameters, needed, names)


class LiveStack:
    """The stack of one run."""

    def __init__(
        self, settings: Settings, aws: Aws, *, clock: Clock, guard: Guard, ledger: RunLedger, tell: Tell | None = None
    ) -> None:
        self._settings = settings
        self._aws = aws
        self._clock = clock
        self._guard = guard
        self._ledger = ledger
        self._tell = tell
        self._entry: Entry | None = None
        self.id = ""
        """The stack's ARN, once it exists."""
        self.lease: Lease | None = None
        self.adopted = False
        """Whether the stack existed before this run: then no failure of this run deletes it."""

    async def bring_up(self, wanted: StackPlan) -> Stack:
        """Deploys the stack, or adopts the existing one, and takes its lease.

        Raises `UsageError` when it is foreign or in use, `InfraError` when a resource fails.
        """
        settings = self._settings
        name, run = settings.stack.name, self._ledger.header.run
        await account.refuse_missing_images(self._aws, wanted.images)
        parameters = dict(wanted.parameters)
        if settings.live.mail_domain:
            await account.refuse_unverified(self._aws, settings.live.mail_domain)
            parameters.setdefault("ReceiptRuleSetName", await account.active_rule_set(self._aws))
        existing = await self.describe()
        stack_tags = tags.tags(name, run, self._ledger.header.expires)
        if existing is not None and not await self._reusable(existing):
            await self._delete_abandoned(existing)
            existing = None
        if existing is not None:
            self.adopted = True
            await self._adopt(existing)
            # Other tags would change every resource: the stack keeps those of the run that created it.
            stack_tags = tags.from_list(existing["Tags"])
        self._entry = self._ledger.intend(STACK, name)
        try:
            deployed = await deploy(
                self._aws,
                self._clock,
                name,
                wanted.template,
                parameters,
                within=settings.timeouts.deploy,
                tags=stack_tags,
                prepared=self._record_changes,
                tell=self._tell,
                new=existing is None,
            )
        except StackConflict:
            self.close_entries()  # another run created the stack, and nothing of it is this run's
            raise
        existing = await self.describe()
        if existing is None:
            raise InfraError(f"stack {name} is gone again, right after it was deployed")
        await self._adopt(existing)
        return deployed

    async def describe(self) -> dict[str, Any] | None:
        """The stack's present description, None when it does not exist. Raises `Refused` when it is foreign."""
        found = await stack_named(self._aws, self._settings.stack.name)
        if found is not None and found["StackStatus"] == "REVIEW_IN_PROGRESS" and self._known_here(found):
            # Its change set was never executed: it has no resources, and perhaps no tags yet.
            found = {**found, "Tags": found.get("Tags") or tags.as_list({tags.MARKER: self._settings.stack.name})}
        self._guard.adopt(found)
        return found

    async def parts(self) -> set[str]:
        """The stack's ARN and the physical ids of its resources."""
        return {self.id, *(each["PhysicalResourceId"] for each in await self._resources())}

    async def remove(self) -> None:
        """Deletes the stack, with retries.

        Raises `InfraError` with the first cause when the deletion fails, and for a stack that existed before this run.
        """
        if self.adopted:
            raise InfraError(f"stack {self._settings.stack.name} existed before this run", next="kit destroy")
        found = await stack_named(self._aws, self.id or self._settings.stack.name)
        if found is not None:
            run = tags.from_list(found.get("Tags")).get(tags.RUN)
            unborn = run is None and found["StackStatus"] == "REVIEW_IN_PROGRESS"
            if self.lease is None and run != self._ledger.header.run and not unborn:
                raise InfraError(
                    f"stack {found['StackName']} is left alone: it was made by run {run}, not by this one",
                    where=str(found["StackId"]),
                )
            self._guard.adopt(await self.describe())
            await destroy(
                self._aws, self._clock, found["StackId"], within=self._settings.timeouts.deploy, tell=self._tell
            )
        if self.lease is not None:
            self.lease.end_with_stack()
        self.close_entries()

    def close_entries(self) -> None:
        """Closes this run's ledger entries for the stack and its resources, which are gone."""
        close_entries(self._ledger, self._settings.stack.name)

    def kept(self) -> None:
        """Records that the stack stays on purpose until it expires: its run does not count as killed."""
        if self._entry is not None:
            self._ledger.created(self._entry, self.id, kept=True)

    async def take_down(self) -> bool:
        """Deletes the stack, whichever run of the kit created it; False when there is none.

        Raises `Refused` when it is foreign, `UsageError` when it is in use.
        """
        found = await self.describe()
        name = self._settings.stack.name
        if found is not None:
            using = await self._in_use(found)
            if using is not None and not self._is_over(tags.from_list(found["Tags"]).get(tags.RUN, "")):
                raise UsageError(f"stack {name} is in use by {using}", next="wait for its end")
            self._refuse_under_way(found)
            await self._delete_abandoned(found)
        for ledger in ledgers(self._settings.report_dir, self._clock):
            if ledger.header.account == self._settings.account and ledger.header.runs_here is not True:
                close_entries(ledger, name)
        return found is not None

    def _record_changes(self, change_set: str, changes: Sequence[Mapping[str, Any]]) -> None:
        """Writes every resource that the change set adds to the ledger, before the change set is executed."""
        self._guard.own(change_set)
        name = self._settings.stack.name
        self._ledger.intend_all(
            (change["ResourceType"], change["LogicalResourceId"], {"stack": name})
            for change in changes
            if change["Action"] == "Add"
        )

    async def _resources(self) -> list[dict[str, Any]]:
        resources = await self._aws.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self.id
        )
        return [each for each in resources if each.get("PhysicalResourceId")]

    async def _own_resources(self) -> None:
        """Adds the stack's resources to the guard and the ledger."""
        for resource in await self._resources():
            if resource["ResourceStatus"] == "DELETE_COMPLETE":
                continue
            self._guard.own(resource["PhysicalResourceId"])
            entry = self._ledger.find(resource["ResourceType"], resource["LogicalResourceId"])
            if entry is not None:
                self._ledger.created(entry, resource["PhysicalResourceId"])

    async def _adopt(self, existing: Mapping[str, Any]) -> None:
        self.id = existing["StackId"]
        if self._entry is not None:
            self._ledger.created(self._entry, self.id)
        await self._own_resources()
        self._guard.own(outputs_of(existing).get("MetricsNamespace", ""))
        table = lease_table(existing)
        if not table:
            raise UsageError(
                f"stack {existing['StackName']} has no output {LEASE_TABLE}, so its use cannot be coordinated",
                where="the template",
                next="add the lease table of the kit's template, kit/system/integration-test-stack.yaml",
            )
        if self.lease is None:
            lease = Lease(self._aws, self._clock, table, existing["StackName"], self._ledger.header.run)
            await lease.take()
            self.lease = lease

    async def _reusable(self, existing: Mapping[str, Any]) -> bool:
        """Whether to use an existing stack of the kit; False when its run is over and it can be deleted.

        Raises `UsageError` when it is neither.
        """
        status, name = existing["StackStatus"], existing["StackName"]
        of = tags.from_list(existing["Tags"])
        run = of.get(tags.RUN, "?")
        usable = status in USABLE
        if usable and self._settings.live.reuse:
            return True
        using = await self._in_use(existing) if usable else None
        over = self._is_over(run)
        if using is not None and not over:
            raise UsageError(f"stack {name} is in use by {using}", next="wait for its end, or take another stack.name")
        self._refuse_under_way(existing)
        if status == "REVIEW_IN_PROGRESS":
            return False
        if over or tags.expired(of, self._clock.now()):
            return False
        raise UsageError(
            f"stack {name} is there already, left by run {run} until {of.get(tags.EXPIRES, 'for ever')}",
            where=str(existing["StackId"]),
            next="use it: --set live.reuse=true; or delete it: kit destroy",
        )

    def _refuse_under_way(self, existing: Mapping[str, Any]) -> None:
        """Raises `UsageError` while an active run, or one of another machine, creates, updates or deletes the stack."""
        of, status = tags.from_list(existing["Tags"]), existing["StackStatus"]
        run = of.get(tags.RUN, "?")
        unborn = status == "REVIEW_IN_PROGRESS" and tags.RUN not in of  # one of this machine's, see `describe`
        if unborn or not status.endswith("_IN_PROGRESS") or self._is_over(run):
            return
        if tags.expired(of, self._clock.now()):
            return
        raise UsageError(
            f"stack {existing['StackName']} is {status}, by run {run}",
            next="wait for its end, or take another stack.name",
        )

    def _known_here(self, existing: Mapping[str, Any]) -> bool:
        mine = self._ledger.header.run
        return any(
            ledger.find(STACK, existing["StackName"]) is not None
            for ledger in ledgers(self._settings.report_dir, self._clock)
            if ledger.header.run == mine or ledger.header.runs_here is False
        )

    def _is_over(self, run: str) -> bool:
        """Whether the run was on this machine, its process has ended and it left the stack without keeping it."""
        for ledger in ledgers(self._settings.report_dir, self._clock):
            if ledger.header.run == run:
                entry = ledger.find(STACK, self._settings.stack.name)
                return ledger.header.runs_here is False and entry is not None and not entry.facts.get("kept")
        return False

    async def _in_use(self, existing: Mapping[str, Any]) -> str | None:
        found = await lease_holder(self._aws, existing)
        return str(found) if found is not None and found.until > self._clock.now() else None

    async def _delete_abandoned(self, existing: Mapping[str, Any]) -> None:
        run = tags.from_list(existing["Tags"]).get(tags.RUN, "?")
        if self._tell is not None:
            self._tell(f"stack {existing['StackName']} was left by run {run}: it is deleted first")
        within = self._settings.timeouts.deploy
        await destroy(self._aws, self._clock, existing["StackId"], within=within, tell=self._tell)
        for ledger in ledgers(self._settings.report_dir, self._clock):
            if ledger.header.run == run:
                close_entries(ledger, existing["StackName"])


def close_entries(ledger: RunLedger, stack: str) -> None:
    """Closes the ledger's entries for a stack that is certainly gone, and for its resources."""
    for entry in ledger.open():
        if (entry.kind, entry.name) == (STACK, stack) or entry.facts.get("stack") == stack:
            ledger.removed(entry)
