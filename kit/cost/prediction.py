"""Predicts time and cost of a run from declared loads or from earlier runs."""

from __future__ import annotations

import json
import statistics
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..aws.template import Template
from .bill import Item
from .fixed_resources import FixedResources
from .prices import HOURS_PER_MONTH, PriceTable
from .publishing import METRICS

UNASSIGNED = "(between scenarios)"
"""The report's name for use outside of scenarios."""
RUNS_READ = 10
"""The number of earlier runs to read, newest first."""
DECLARED_WITHIN, MEASURED_WITHIN = 0.5, 0.1
"""The smallest half-width of an interval, as a share: without earlier runs, and with some (the seed's ± 10 %)."""
_ONE_RUN_WITHIN = 0.25
"""The half-width with one earlier run, which shows no spread."""
_LOADS = Path(__file__).with_name("loads.toml")


@dataclass(frozen=True)
class Load:
    """A scenario's declared load."""

    seconds: float
    """AWS seconds it takes."""
    hermes_seconds: float
    """AWS seconds of all Hermes tasks in total."""
    edit_seconds: float
    sessions: int
    mails: int
    """Received and sent."""


@dataclass(frozen=True)
class UsageRates:
    """Use of a system under load besides its tasks, measured with the reference system."""

    reads_per_second: float
    """Read request units for each second of a Hermes task."""
    writes_per_second: float
    queue_requests_per_second: float
    log_bytes_per_second: float
    reads_per_session: float
    writes_per_session: float
    bytes_per_session: float
    """Through the load balancer."""


@dataclass(frozen=True)
class EarlierRun:
    """A scenario in an earlier run."""

    seconds: float
    use: Mapping[str, float]
    """Price → quantity."""


@dataclass(frozen=True)
class Prediction:
    """Time in AWS seconds and cost in dollars, with their interval."""

    seconds: float
    usd: float
    within: float
    """Half the interval's width, as a share of the value."""
    basis: str
    """The source of the prediction."""

    def to_json(self) -> dict[str, Any]:
        return {
            "usd": round(self.usd, 6),
            "usd_low": round(self.usd * (1 - self.within), 6),
            "usd_high": round(self.usd * (1 + self.within), 6),
            "aws_seconds": round(self.seconds, 1),
            "within": round(self.within, 3),
            "basis": self.basis,
        }


@dataclass
class Predictor:
    """Predicts scenarios and runs at these prices, with this template."""

    table: PriceTable
    template: Template
    past: Mapping[str, Sequence[EarlierRun]] = field(default_factory=dict)
    """Scenario → earlier runs of the same kind."""

    def __post_init__(self) -> None:
        declared = tomllib.loads(_LOADS.read_text(encoding="utf-8"))
        self._rates = UsageRates(**declared["rates"])
        self._loads = {name: Load(**fields) for name, fields in declared["scenarios"].items()}
        self._unknown = Load(**declared["unknown"])

    def scenario(self, name: str) -> Prediction:
        """Predicts one scenario without fixed cost."""
        past = self.past.get(name, ())
        if not past:
            load = self._loads.get(name, self._unknown)
            usd = sum(self.table.usd(item.price, item.quantity) for item in self.items(load))
            basis = "declared" if name in self._loads else "guessed: its load is not declared"
            return Prediction(load.seconds, usd, DECLARED_WITHIN, basis)
        costs = [sum(self.table.usd(price, quantity) for price, quantity in one.use.items()) for one in past]
        seconds = statistics.fmean(one.seconds for one in past)
        usd = statistics.fmean(costs)
        spread = 2 * statistics.stdev(costs) / usd if len(costs) > 1 and usd else _ONE_RUN_WITHIN
        return Prediction(seconds, usd, min(1.0, max(MEASURED_WITHIN, spread)), f"{len(past)} earlier run(s)")

    def run(self, names: Iterable[str], *, new: bool, overhead: float, published: bool) -> Prediction:
        """Predicts a run of these scenarios with the use between them and the fixed cost.

        `overhead`: AWS seconds of deployment and deletion; `new` as in `FixedResources.items`; `published`: whether
        the results are published to CloudWatch.
        """
        chosen = tuple(names)
        parts = [self.scenario(name) for name in chosen]
        if UNASSIGNED in self.past:
            parts.append(self.scenario(UNASSIGNED))
        seconds = sum(part.seconds for part in parts) + overhead
        standing = FixedResources.of(self.template).items(seconds, new=new)
        fixed = sum(self.table.usd(item.price, item.quantity) for item in standing)
        usd = sum(part.usd for part in parts) + fixed
        if published:
            usd += self.table.usd("metric_month", len(METRICS) * (len(chosen) + 1) / HOURS_PER_MONTH)
        off = sum(part.usd * part.within for part in parts) + fixed * _mean_within(parts)
        bases = sorted({part.basis for part in parts}) or ["nothing runs"]
        return Prediction(seconds, usd, off / usd if usd else 0.0, "; ".join(bases))

    def items(self, load: Load) -> list[Item]:
        """The quantities that a declared load uses."""
        rates, hermes, edit = self._rates, load.hermes_seconds / 3600, load.edit_seconds / 3600
        items = []
        for hours, name in ((hermes, "Hermes"), (edit, "Edit")):
            vcpu, memory = self._size(name)
            items += [
                Item("fargate_vcpu_hour", vcpu * hours, name),
                Item("fargate_gb_hour", memory * hours, name),
                Item("public_ipv4_hour", hours, name),
            ]
        busy = load.hermes_seconds
        quantities = {
            "dynamodb_read": rates.reads_per_second * busy + rates.reads_per_session * load.sessions,
            "dynamodb_write": rates.writes_per_second * busy + rates.writes_per_session * load.sessions,
            "sqs_request": rates.queue_requests_per_second * busy + 4 * load.mails,
            "ses_sent": float(load.mails),
            "ses_received": float(load.mails),
            "sns_publish": float(load.mails),
            "egress_gb": rates.bytes_per_session * load.sessions / 1e9,
            "logs_ingested_gb": rates.log_bytes_per_second * (busy + load.edit_seconds) / 1e9,
            "metrics_request": busy / 10,
            "metric_month": 2 * load.seconds / 3600 / HOURS_PER_MONTH,
        }
        return items + [Item(price, quantity, "the system") for price, quantity in quantities.items()]

    def _size(self, name: str) -> tuple[float, float]:
        """vCPU and GB of the task definition with this prefix of its logical id; otherwise the seed's."""
        for resource in self.template.of_type("AWS::ECS::TaskDefinition"):
            if resource.id.startswith(name):
                cpu, memory = (self.template.value(resource.properties.get(key)) for key in ("Cpu", "Memory"))
                if str(cpu).isdigit() and str(memory).isdigit():
                    return int(cpu) / 1024, int(memory) / 1024
        return 0.25, 0.5


def earlier_runs(report_dir: Path, kind: Mapping[str, Any]) -> dict[str, list[EarlierRun]]:
    """Scenario → its newest earlier runs whose reports agree with `kind` (mode, scale)."""
    found: dict[str, list[EarlierRun]] = {}
    read = 0
    for path in sorted((report_dir / "runs").glob("*/report.json"), reverse=True):
        if read == RUNS_READ:
            break
        try:
            report = json.loads(path.read_text(encoding="utf-8"))
            if any(report["run"].get(key) != value for key, value in kind.items()) or "scenarios" not in report["cost"]:
                continue
            passed = {one["name"] for one in report["scenarios"] if one["verdict"] == "pass"} | {UNASSIGNED}
            for name, share in report["cost"]["scenarios"].items():
                if name in passed:
                    found.setdefault(name, []).append(EarlierRun(share["aws_seconds"], share["use"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        read += 1
    return found


def _mean_within(parts: Sequence[Prediction]) -> float:
    total = sum(part.seconds for part in parts)
    return sum(part.within * part.seconds for part in parts) / total if total else 0.0
