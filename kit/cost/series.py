"""The metrics a run's use is read from: what each is of, and what its sum costs.

They are AWS's own metrics of the stack's own resources, so nothing that others do in the account is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MINUTE = 60


@dataclass(frozen=True)
class Series:
    """One metric with its dimensions, and what its sums are charged."""

    key: str
    """Names it in the history."""
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    what: str
    charges: Mapping[str, float] = field(default_factory=dict)
    """Price → its units in one of the metric; none for what is put together from several (`kit.cost.meter`)."""
    statistic: str = "Sum"


GB = 1e-9
"""AWS charges gigabytes of 10^9 bytes for transfer and logs; the difference to 2^30 is within a rounding here."""

NEW_CONNECTIONS, ACTIVE_CONNECTIONS = "balancer.new_connections", "balancer.active_connections"
PROCESSED = "balancer.processed_bytes"
CUSTOM = "custom."


@dataclass(frozen=True)
class Watched:
    """The names of a stack's resources whose use is metered."""

    load_balancer: str = ""
    """The LoadBalancer dimension: `app/<name>/<id>`."""
    tables: Mapping[str, tuple[str, ...]] | None = None
    """Table → its indexes."""
    queues: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    """Topics that mail is received by: each publish is a mail."""
    log_groups: tuple[str, ...] = ()
    file_systems: tuple[str, ...] = ()
    custom: tuple[tuple[str, str, str], ...] = ()
    """Metrics the system itself publishes: namespace, name, Environment."""


def series_of(watched: Watched) -> list[Series]:
    """Every series of a stack."""
    return [
        *_balancer(watched.load_balancer),
        *_tables(watched.tables or {}),
        *(series for queue in watched.queues for series in _queue(queue)),
        *(series for topic in watched.topics for series in _topic(topic)),
        *(
            Series(f"logs.{name}", "AWS/Logs", "IncomingBytes", {"LogGroupName": name}, name, {"logs_ingested_gb": GB})
            for name in watched.log_groups
        ),
        *(series for system in watched.file_systems for series in _file_system(system)),
        *(
            Series(
                f"{CUSTOM}{name}",
                namespace,
                name,
                {"Environment": environment},
                name,
                statistic="SampleCount",
            )
            for namespace, name, environment in watched.custom
        ),
    ]


def _balancer(dimension: str) -> Iterator[Series]:
    if not dimension:
        return
    where = {"LoadBalancer": dimension}
    for key, metric in (
        (NEW_CONNECTIONS, "NewConnectionCount"),
        (ACTIVE_CONNECTIONS, "ActiveConnectionCount"),
    ):
        yield Series(key, "AWS/ApplicationELB", metric, where, "load balancer")
    # Everything the load balancer moved, in and out: more than what left AWS, so the bill is no less than AWS's.
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


def _queue(name: str) -> Iterator[Series]:
    """Requests are not published as such. Each message is taken for a request of its own, so a batch counts more."""
    for metric in (
        "NumberOfMessagesSent",
        "NumberOfMessagesReceived",
        "NumberOfMessagesDeleted",
        "NumberOfEmptyReceives",
    ):
        yield Series(f"sqs.{metric}.{name}", "AWS/SQS", metric, {"QueueName": name}, name, {"sqs_request": 1.0})


def _topic(name: str) -> Iterator[Series]:
    """A receipt rule publishes every mail it takes once, and every one was sent by SES: by the kit, or by Hermes."""
    charges = {"sns_publish": 1.0, "ses_received": 1.0, "ses_sent": 1.0}
    yield Series(f"mail.{name}", "AWS/SNS", "NumberOfMessagesPublished", {"TopicName": name}, name, charges)


def _file_system(name: str) -> Iterator[Series]:
    for metric, price in (("DataReadIOBytes", "efs_read_gb"), ("DataWriteIOBytes", "efs_write_gb")):
        yield Series(f"efs.{metric}.{name}", "AWS/EFS", metric, {"FileSystemId": name}, "workspace", {price: GB})
