"""The stack in a real account: looked at, deployed, adopted, deleted, and written down at each step.

look --> absent ------------> ledger --> change set --> create --> lease
     --> ours, abandoned ---> deleted, then as absent
     --> ours, to be used --> lease --> change set (nothing, when nothing differs)
     --> ours, in use, or foreign: refused
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...aws.client import Aws
from ...aws.deploy import Taken, Tell, deploy, destroy, stack_named, template_text
from ...aws.images import images, parameter_names
from ...aws.outputs import Stack
from ...aws.template import Template
from ...core.clock import Clock
from ...core.errors import InfraError, UsageError
from ...settings import Settings
from . import account, tags
from .guard import Guard
from .lease import Lease, holder
from .ledger import STACK, Entry, Ledger, ledgers
from .names import refuse_long

_PREFIXED = re.compile(r"\$\{ResourcePrefix\}[A-Za-z0-9_-]*")
LEASE_TABLE = "LeaseTableName"
"""The stack's output that names the table of its lease."""


@dataclass(frozen=True)
class Plan:
    """What would be deployed, known without an account."""

    template: str
    parameters: Mapping[str, str]
    images: Sequence[str]
    names: Sequence[str]
    """Names that the resources would get, as far as the prefix decides them."""


def plan(settings: Settings) -> Plan:
    """Template and parameters of a live stack. Raises `UsageError` for what can be refused without an account."""
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
            next=f"a load balancer takes certificates of its own region: request one in {settings.region}",
        )
    if settings.live.certificate and not parameters.get("HostName"):
        raise UsageError(
            "live.certificate is set, and nobody has said for which name",
            where="stack.parameters",
            next='name it, with a DNS record that leads to the load balancer: [stack.parameters] HostName = "…"',
        )
    refuse_long(settings.stack.name, Template.read(template, parameters))
    prefix = parameters.get("ResourcePrefix", known.get("ResourcePrefix", ""))
    names = [found.replace("${ResourcePrefix}", prefix) for found in sorted(set(_PREFIXED.findall(template)))]
    return Plan(template, parameters, needed, names)


class LiveStack:
    """The stack of one run."""

    def __init__(
        self, settings: Settings, aws: Aws, *, clock: Clock, guard: Guard, ledger: Ledger, tell: Tell | None = None
    ) -> None:
        self._settings = settings
        self._aws = aws
        self._clock = clock
        self._guard = guard
        self._ledger = ledger
        self._tell = tell
        self._entry: Entry | None = None
        self.id = ""
        """Its ARN, once it is there."""
        self.lease: Lease | None = None
        self.adopted = False
        """Whether it stood there before this run: then no failure of this run's is a reason to delete it."""

    async def bring_up(self, wanted: Plan) -> Stack:
        """Deploy the stack, or adopt the one that is there, and take its lease.

        Raises `UsageError` when it is somebody else's or in use, `InfraError` when a resource fails.
        """
        settings = self._settings
        name, run = settings.stack.name, self._ledger.header.run
        await account.refuse_absent_images(self._aws, wanted.images)
        parameters = dict(wanted.parameters)
        if settings.live.mail_domain:
            await account.refuse_unverified(self._aws, settings.live.mail_domain)
            parameters.setdefault("ReceiptRuleSetName", await account.active_rule_set(self._aws))
        there = await self.look()
        stack_tags = tags.tags(name, run, self._ledger.header.expires)
        if there is not None and not await self._reusable(there):
            await self._remove_abandoned(there)
            there = None
        if there is not None:
            self.adopted = True
            await self._adopt(there)
            # Other tags would be a change of every resource; they stay those of the run that made it.
            stack_tags = tags.from_list(there["Tags"])
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
                prepared=self._write_down,
                tell=self._tell,
                new=there is None,
            )
        except Taken:
            self.written_off()  # it is another run's, and none of it was made by this one
            raise
        there = await self.look()
        if there is None:
            raise InfraError(f"stack {name} is gone again, right after it was deployed")
        await self._adopt(there)
        return deployed

    async def look(self) -> dict[str, Any] | None:
        """The stack as it is now, None when there is none. Raises `Refused` when it is somebody else's."""
        found = await stack_named(self._aws, self._settings.stack.name)
        if found is not None and found["StackStatus"] == "REVIEW_IN_PROGRESS" and self._known_here(found):
            # Of a change set that was never executed: it has no resource, and perhaps no tags yet.
            found = {**found, "Tags": found.get("Tags") or tags.as_list({tags.MARKER: self._settings.stack.name})}
        self._guard.adopt(found)
        return found

    async def own_resources(self) -> None:
        """Tell the guard and the ledger what the stack consists of."""
        resources = await self._aws.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self.id
        )
        for resource in resources:
            if resource["ResourceStatus"] == "DELETE_COMPLETE" or not resource.get("PhysicalResourceId"):
                continue
            self._guard.own(resource["PhysicalResourceId"])
            entry = self._ledger.find(resource["ResourceType"], resource["LogicalResourceId"])
            if entry is not None:
                self._ledger.created(entry, resource["PhysicalResourceId"])

    async def parts(self) -> set[str]:
        """The stack and what it consists of, as AWS calls it."""
        resources = await self._aws.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self.id
        )
        return {self.id, *(each["PhysicalResourceId"] for each in resources if each.get("PhysicalResourceId"))}

    async def remove(self) -> None:
        """Delete the stack, tried again where needed. Raises `InfraError` with the first cause when it stays, and for
        one that stood there before this run."""
        if self.adopted:
            raise InfraError(f"stack {self._settings.stack.name} stood there before this run", next="kit destroy")
        found = await stack_named(self._aws, self.id or self._settings.stack.name)
        if found is not None:
            run = tags.from_list(found.get("Tags")).get(tags.RUN)
            nobodys = run is None and found["StackStatus"] == "REVIEW_IN_PROGRESS"
            if self.lease is None and run != self._ledger.header.run and not nobodys:
                raise InfraError(
                    f"stack {found['StackName']} is left alone: it was made by run {run}, not by this one",
                    where=str(found["StackId"]),
                )
            self._guard.adopt(await self.look())
            await destroy(
                self._aws, self._clock, found["StackId"], within=self._settings.timeouts.deploy, tell=self._tell
            )
        if self.lease is not None:
            self.lease.end_with_stack()
        self.written_off()

    def written_off(self) -> None:
        """The stack is gone, and with it everything of it that stands in this run's ledger."""
        write_off(self._ledger, self._settings.stack.name)

    def kept(self) -> None:
        """The stack stays on purpose, until it expires: its run is not taken for a killed one."""
        if self._entry is not None:
            self._ledger.created(self._entry, self.id, kept=True)

    async def take_down(self) -> bool:
        """Delete the stack, whichever run of the kit made it; False when there was none.

        Raises `Refused` when it is somebody else's, `UsageError` when it is in use.
        """
        found = await self.look()
        name = self._settings.stack.name
        if found is not None:
            using = await self._in_use(found)
            if using is not None and not self._is_over(tags.from_list(found["Tags"]).get(tags.RUN, "")):
                raise UsageError(f"stack {name} is in use by {using}", next="wait for its end")
            self._refuse_under_way(found)
            await self._remove_abandoned(found)
        for ledger in ledgers(self._settings.report_dir, self._clock):
            if ledger.header.account == self._settings.account and ledger.header.runs_here is not True:
                write_off(ledger, name)
        return found is not None

    def _write_down(self, change_set: str, changes: Sequence[Mapping[str, Any]]) -> None:
        """Everything that the change set adds stands in the ledger before it is executed."""
        self._guard.own(change_set)
        name = self._settings.stack.name
        self._ledger.intend_all(
            (change["ResourceType"], change["LogicalResourceId"], {"stack": name})
            for change in changes
            if change["Action"] == "Add"
        )

    async def _adopt(self, there: Mapping[str, Any]) -> None:
        self.id = there["StackId"]
        if self._entry is not None:
            self._ledger.created(self._entry, self.id)
        await self.own_resources()
        outputs = {output["OutputKey"]: output["OutputValue"] for output in there.get("Outputs", ())}
        self._guard.own(outputs.get("MetricsNamespace", ""))
        table = outputs.get(LEASE_TABLE)
        if table is None:
            raise UsageError(
                f"stack {there['StackName']} has no output {LEASE_TABLE}, so nobody can tell whether it is in use",
                where="the template",
                next="add the lease table of the kit's own template, kit/system/integration-test-stack.yaml",
            )
        if self.lease is None:
            lease = Lease(self._aws, self._clock, table, there["StackName"], self._ledger.header.run)
            await lease.take()
            self.lease = lease

    async def _reusable(self, there: Mapping[str, Any]) -> bool:
        """Whether to use a stack of the kit's that is there; False when its run is over and it can be deleted.

        Raises `UsageError` when it is neither.
        """
        status, name = there["StackStatus"], there["StackName"]
        of = tags.from_list(there["Tags"])
        run = of.get(tags.RUN, "?")
        whole = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
        if whole and self._settings.live.reuse:
            return True
        using = await self._in_use(there) if whole else None
        over = self._is_over(run)
        if using is not None and not over:
            raise UsageError(f"stack {name} is in use by {using}", next="wait for its end, or take another stack.name")
        self._refuse_under_way(there)
        if status == "REVIEW_IN_PROGRESS":
            return False
        if over or tags.expired(of, self._clock.now()):
            return False
        raise UsageError(
            f"stack {name} is there already, left by run {run} until {of.get(tags.EXPIRES, 'for ever')}",
            where=str(there["StackId"]),
            next="use it: --set live.reuse=true; or delete it: kit destroy",
        )

    def _refuse_under_way(self, there: Mapping[str, Any]) -> None:
        """Raises `UsageError` while a living run, or one that nobody knows here, creates, updates or deletes it."""
        of, status = tags.from_list(there["Tags"]), there["StackStatus"]
        run = of.get(tags.RUN, "?")
        unborn = status == "REVIEW_IN_PROGRESS" and tags.RUN not in of  # `look` knows it as one of this machine's
        if unborn or not status.endswith("_IN_PROGRESS") or self._is_over(run):
            return
        if tags.expired(of, self._clock.now()):
            return
        raise UsageError(
            f"stack {there['StackName']} is {status}, by run {run}", next="wait for its end, or take another stack.name"
        )

    def _known_here(self, there: Mapping[str, Any]) -> bool:
        mine = self._ledger.header.run
        return any(
            ledger.find(STACK, there["StackName"]) is not None
            for ledger in ledgers(self._settings.report_dir, self._clock)
            if ledger.header.run == mine or ledger.header.runs_here is False
        )

    def _is_over(self, run: str) -> bool:
        """Whether a run was one of this machine's, and its process is gone with its work undone."""
        for ledger in ledgers(self._settings.report_dir, self._clock):
            if ledger.header.run == run:
                entry = ledger.find(STACK, self._settings.stack.name)
                return ledger.header.runs_here is False and entry is not None and not entry.facts.get("kept")
        return False

    async def _in_use(self, there: Mapping[str, Any]) -> str | None:
        outputs = {output["OutputKey"]: output["OutputValue"] for output in there.get("Outputs", ())}
        if LEASE_TABLE not in outputs:
            return None
        found = await holder(self._aws, outputs[LEASE_TABLE], there["StackName"])
        return str(found) if found is not None and found.until > self._clock.now() else None

    async def _remove_abandoned(self, there: Mapping[str, Any]) -> None:
        run = tags.from_list(there["Tags"]).get(tags.RUN, "?")
        if self._tell is not None:
            self._tell(f"stack {there['StackName']} was left by run {run}: it is deleted first")
        await destroy(self._aws, self._clock, there["StackId"], within=self._settings.timeouts.deploy, tell=self._tell)
        for ledger in ledgers(self._settings.report_dir, self._clock):
            if ledger.header.run == run:
                write_off(ledger, there["StackName"])


def write_off(ledger: Ledger, stack: str) -> None:
    """A stack is gone for certain, and with it everything of it that stands in a ledger."""
    for entry in ledger.open():
        if (entry.kind, entry.name) == (STACK, stack) or entry.facts.get("stack") == stack:
            ledger.removed(entry)
