"""The CloudWatch metrics that a run's use is read from, and the prices of their sums.

Only AWS's metrics of the stack's resources: other use of the account is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

MINUTE = 60


@dataclass(frozen=True)
class Series:
    """One metric with its dimensions and the prices of its sums."""

    key: str
    """Identifies it in the history."""
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    what: str
    charges: Mapping[str, float] = field(default_factory=dict)
    """Price → units per unit of the metric; empty for prices computed from several metrics (`kit.cost.meter`)."""
    statistic: str = "Sum"


GB = 1e-9
"""AWS charges transfer and logs by gigabytes of 10^9 bytes."""

NEW_CONNECTIONS, ACTIVE_CONNECTIONS = "balancer.new_connections", "balancer.active_connections"
PROCESSED = "balancer.processed_bytes"
CUSTOM = "custom."


@dataclass(frozen=True)
class MeteredResources:
    """The names of a stack's resources whose use is metered."""

    load_balancer: str = ""
    """The LoadBalancer dimension: `app/<name>/<id>`."""
    tables: Mapping[str, tuple[str, ...]] | None = None
    """Table → its indexes."""
    queues: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """Topics that receive mail: each publish is a mail."""
    log_groups: tuple[str, ...] = ()
    file_systems: tuple[str, ...] = ()
    custom: tuple[tuple[str, str, str], ...] = ()
    """Metrics that the system publishes: namespace, name, Environment."""


_PER_RESOURCE: Sequence[tuple[str, str, str, str, Mapping[str, Mapping[str, float]]]] = (
    # SQS publishes no request counts: each message counts as one request, so a batch counts more.
    (
        "queues",
        "sqs.{metric}.{name}",
        "AWS/SQS",
        "QueueName",
        {
            f"NumberOf{each}": {"sqs_request": 1.0}
            for each in ("MessagesSent", "MessagesReceived", "MessagesDeleted", "EmptyReceives")
        },
    ),
    # A receipt rule publishes each mail once, and SES sent each: for the kit, or for Hermes.
    (
        "topics",
        "mail.{name}",
        "AWS/SNS",
        "TopicName",
        {"NumberOfMessagesPublished": {"sns_publish": 1.0, "ses_received": 1.0, "ses_sent": 1.0}},
    ),
    ("log_groups", "logs.{name}", "AWS/Logs", "LogGroupName", {"IncomingBytes": {"logs_ingested_gb": GB}}),
    (
        "file_systems",
        "efs.{metric}.{name}",
        "AWS/EFS",
        "FileSystemId",
        {"DataReadIOBytes": {"efs_read_gb": GB}, "DataWriteIOBytes": {"efs_write_gb": GB}},
    ),
)
"""Field of `MeteredResources`, key, namespace, dimension, and metric → charges."""


def series_of(metered: MeteredResources) -> list[Series]:
    """Every series of a stack."""
    return [*_balancer(metered.load_balancer), *_tables(metered.tables or {}), *_others(metered), *_custom(metered)]


def _others(metered: MeteredResources) -> Iterator[Series]:
    for field_name, key, namespace, dimension, metrics in _PER_RESOURCE:
        for name in getattr(metered, field_name):
            what = "workspace" if field_name == "file_systems" else name
            for metric, charges in metrics.items():
                full = key.format(metric=metric, name=name)
                yield Series(full, namespace, metric, {dimension: name}, what, charges)


def _custom(metered: MeteredResources) -> Iterator[Series]:
    for namespace, name, environment in metered.custom:
        where = {"Environment": environment}
        yield Series(f"{CUSTOM}{name}", namespace, name, where, name, statistic="SampleCount")


def _balancer(dimension: str) -> Iterator[Series]:
    if not dimension:
        return
    where = {"LoadBalancer": dimension}
    for key, metric in ((NEW_CONNECTIONS, "NewConnectionCount"), (ACTIVE_CONNECTIONS, "ActiveConnectionCount")):
        yield Series(key, "AWS/ApplicationELB", metric, where, "load balancer")
    # Bytes in both directions: more than the egress that AWS charges, so the bill is an upper bound.
    yield Series(PROCESSED, "AWS/ApplicationELB", "ProcessedBytes", where, "load balancer", {"egress_gb": GB})


def _tables(tables: Mapping[str, tuple[str, ...]]) -> Iterator[Series]:
    for table, indexes in tables.items():
        for index in ("", *indexes):
            where = {"TableName": table, **({"GlobalSecondaryIndexName": index} if index else {})}
            name = f"{table}/{index}" if index else table
            for kind in ("Read", "Write"):
                yield Series(
                    f"dynamodb.{kind.lower()}.{name}",
                    "AWS/DynamoDB",
                    f"Consumed{kind}CapacityUnits",
                    where,
                    name,
                    {f"dynamodb_{kind.lower()}": 1.0},
                )
