"""The independent audit: nothing of a run is left in the account, shown by the account and not by the run's own books.

    Tagging API  (tags of the run)      \\
    listings     (names of the template) > things of the run --> none, or the run has failed
    ledger's ids (noted while it ran)   /

A service that will not be looked at is told as such: then nothing is proven. One that the region does not have can have
nothing; the run's history says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ...aws.template import Template
from ...core.clock import Clock
from ...core.errors import InfraError, WaitExpired
from ...core.eventually import eventually
from . import tags
from .inventory import Ground, Looked, Thing, Unseen, look

SETTLES_WITHIN = 180.0
"""AWS seconds in which listings follow a deletion; budgeted, AWS names none."""

_NAMES: Mapping[str, str] = {
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::Service": "ServiceName",
    "AWS::ECS::TaskDefinition": "Family",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::CloudWatch::Dashboard": "DashboardName",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "Name",
    "AWS::ElasticLoadBalancingV2::TargetGroup": "Name",
    "AWS::S3::Bucket": "BucketName",
}
"""The property that names a resource, for kinds that a template may name."""


@dataclass(frozen=True)
class Marks:
    """By what the things of one run are known."""

    stack: str
    run: str
    names: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Kind → names in the template, for what carries no tags or has lost them."""
    ids: Collection[str] = ()
    """What AWS called the run's resources."""
    generated: Collection[str] = ()
    """How names begin that CloudFormation makes itself."""

    def of(self, thing: Thing, looked: Looked) -> bool:
        """Whether a thing is this run's. What carries the tags of another run is not, whatever its name."""
        told = looked.tags.get(thing.arn)
        if told is not None:
            return told.get(tags.MARKER) == self.stack and told.get(tags.RUN) == self.run
        if thing.known_as & set(self.ids) or thing.known_as & set(self.names.get(thing.kind, ())):
            return True
        if thing.kind == "AWS::IAM::Role" and thing.name.startswith(tuple(self.generated)):
            return True
        return bool(thing.inside & {*self.ids, *self.names.get("AWS::ECS::Cluster", ())})


def marks_of(stack: str, run: str, template: Template, ids: Iterable[str] = ()) -> Marks:
    """The marks that a run of this template leaves."""
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
    ground: Ground, clock: Clock, marks: Marks, *, kept: Collection[str] = (), within: float = SETTLES_WITHIN
) -> list[Thing | Unseen]:
    """What is left of a run, but for what is `kept` on purpose (names, ids or ARNs), and what could not be looked at.
    Looks again until there is neither, for `within` AWS seconds: throttling passes, and so does a listing that lags."""
    absent: set[str] = set()

    async def once() -> list[Thing | Unseen]:
        looked = await look(ground)
        absent.update(map(str, looked.absent))
        mine = [thing for thing in looked.things if marks.of(thing, looked) and not _kept(thing, kept)]
        return [*mine, *looked.unseen]

    try:
        return await eventually(
            once,
            until=lambda left: not left,
            within=within,
            clock=clock,
            every=5.0,
            describe="nothing to be left",
        )
    except WaitExpired:
        return await once()
    finally:
        if absent:
            ground.aws.history.note("audit.absent", value={"absent": sorted(absent)})


def _kept(thing: Thing, kept: Collection[str]) -> bool:
    return bool((thing.known_as | thing.inside) & set(kept))


def failed(left: Iterable[Thing | Unseen], run: str) -> InfraError:
    """What to say of it."""
    lines = "".join(f"\n    {one}" for one in left)
    return InfraError(
        f"the audit of run {run} found what must not be there:{lines}",
        next="kit janitor shows it with the rest that runs left, kit janitor --yes removes it",
    )
