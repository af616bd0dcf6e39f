"""Audits the account after a run: proves from AWS's answers, not from the ledger alone, that no resource is left.

    Tagging API  (tags of the run)      \\
    listings     (names of the template) > resources of the run --> none, or the run has failed
    ledger's ids (recorded by the run)  /

An unreadable service is reported: nothing is proven then. A service that the region lacks contains no resources; the
run's history names it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ...aws.template import Template
from ...core.clock import Clock
from ...core.errors import InfraError, WaitExpired
from ...core.eventually import eventually
from . import tags
from .inventory import AwsAccount, Resource, Snapshot, Unreadable, take_snapshot

SETTLES_WITHIN = 180.0
"""AWS seconds in which listings follow a deletion; an estimate, AWS documents none."""

_NAMES: Mapping[str, str] = {
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::Service": "ServiceName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::S3::Bucket": "BucketName",
}
"""Type → the property that names a resource."""


@dataclass(frozen=True)
class Marks:
    """Identifies the resources of one run."""

    stack: str
    run: str
    names: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Kind → names in the template, for resources without tags."""
    ids: Collection[str] = ()
    """Physical ids of the run's resources."""
    generated: Collection[str] = ()
    """Prefixes of names that CloudFormation generates."""

    def of(self, resource: Resource, snapshot: Snapshot) -> bool:
        """Whether a resource is this run's. One with another run's tags is not, whatever its name."""
        tagged = snapshot.tags.get(resource.arn)
        if tagged is not None:
            return tagged.get(tags.MARKER) == self.stack and tagged.get(tags.RUN) == self.run
        if resource.known_as & set(self.ids) or resource.known_as & set(self.names.get(resource.kind, ())):
            return True
        if resource.kind == "AWS::IAM::Role" and resource.name.startswith(tuple(self.generated)):
            return True
        return bool(resource.inside & {*self.ids, *self.names.get("AWS::ECS::Cluster", ())})


def marks_of(stack: str, run: str, template: Template, ids: Iterable[str] = ()) -> Marks:
    """The marks of a run of this template."""
    names: dict[str, set[str]] = {}
    generated = set()
    for resource in template.resources:
        named = template.value(resource.properties.get(_NAMES.get(resource.type, "")))
        if resource.type == "AWS::SES::ReceiptRule":
            named = template.value(resource.properties.get("Rule", {}).get("Name"))
        if isinstance(named, str) and "${" not in named:
            names.setdefault(resource.type, set()).add(named)
        if resource.type == "AWS::IAM::Role":
            generated.add(f"{stack}-{resource.id}-")
    return Marks(stack, run, names, frozenset(ids), generated)


async def audit(
    account: AwsAccount, clock: Clock, marks: Marks, *, kept: Collection[str] = (), within: float = SETTLES_WITHIN
) -> list[Resource | Unreadable]:
    """The run's remaining resources, except `kept` (names, ids or ARNs), and the services that could not be read.

    Repeats for `within` AWS seconds until there are neither: throttling passes, and listings lag.
    """
    absent: set[str] = set()

    async def once() -> list[Resource | Unreadable]:
        snapshot = await take_snapshot(account)
        absent.update(map(str, snapshot.not_in_region))
        mine = [
            resource
            for resource in snapshot.resources
            if marks.of(resource, snapshot) and not (resource.known_as | resource.inside) & set(kept)
        ]
        return [*mine, *snapshot.unreadable]

    try:
        return await eventually(
            once,
            until=lambda left: not left,
            within=within,
            clock=clock,
            every=5.0,
            describe="no resource to be left",
        )
    except WaitExpired:
        return await once()
    finally:
        if absent:
            account.aws.history.note("audit.absent", value={"absent": sorted(absent)})


def audit_error(left: Iterable[Resource | Unreadable], run: str) -> InfraError:
    """The error for an audit with findings."""
    lines = "".join(f"\n    {each}" for each in left)
    return InfraError(
        f"the audit of run {run} found leftovers:{lines}",
        next="kit janitor shows them with the leftovers of other runs, kit janitor --yes removes them",
    )
