"""Latency profiles: the delays of AWS itself, one documented line each.

    [delays]
    "ecs.task.provisioning" = { lognormal = { p50 = 12, p95 = 15 }, source = "…", date = "2024-04" }

A delay that a profile leaves out takes no time.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .distribution import Distribution, parse

NAMES: Mapping[str, str] = {
    "ses.receive_to_sns": "an accepted mail to the first action of its receipt rule",
    "sns.to_sqs": "the rule's SNS publish to the message in the queue",
    "sqs.metric.publication": "the end of a minute to its AWS/SQS datapoints",
    "elbv2.metric.publication": "the same for AWS/ApplicationELB",
    "ecs.metric.publication": "the same for AWS/ECS",
    "cloudwatch.metric.publication": "the same for other namespaces of AWS",
    "cloudwatch.put.visible": "PutMetricData to the datapoint that alarms and statistics see",
    "cloudwatch.alarm.evaluation": "a datapoint's arrival to the next evaluation of an alarm of 60 s or more",
    "cloudwatch.alarm.high_resolution": "the same for an alarm below 60 s",
    "ecs.task.provisioning": "a task's creation to its attached network interface",
    "ecs.task.image_pull": "the pull of an image; in proportion to its size",
    "ecs.task.start": "pulled images to started containers",
    "ecs.task.deprovisioning": "stopped containers to a STOPPED task",
    "ecs_exec.agent": "a task's start to its connected ExecuteCommandAgent",
    "ecs_exec.open": "ExecuteCommand's data channel to a started command",
    "elbv2.target.registration": "RegisterTargets to the state Elb.InitialHealthChecking",
    "elbv2.target.first_health_check": "that state to the first health check",
    "lambda.event.dispatch": "an asynchronous event to its first attempt",
    "lambda.cold_start": "the preparation of a function's new execution environment, before its process starts",
    "stack.create": "a resource's creation by CloudFormation, besides the work that the emulated cloud does; "
    "`stack.create.<type>` is for one resource type",
    "stack.delete": "the same for its deletion",
}
"""Every delay that the emulated cloud has, and its span."""
BY_VARIANT = ("stack.create", "stack.delete")
"""Delays with lines for single variants: resource types."""
NONE = "none"
_FOLDER = Path(__file__).with_name("profiles")
_LINE = {"constant", "uniform", "lognormal", "source", "date", "for_mib"}
_DEFAULT_MIB = 80.0


class ProfileError(ValueError):
    """A profile that does not exist or has an invalid line; the text names the line, the reason and valid values."""


@dataclass(frozen=True)
class Delay:
    """One line of a profile."""

    name: str
    distribution: Distribution
    source: str
    date: str
    """When the source measured or said so: a year, month or day."""
    for_mib: float | None = None
    """The size of the image for which an image pull takes this long, in MiB, compressed."""

    def to_json(self) -> dict[str, Any]:
        """Its source, and its quantiles from 1 to 99 %: all that other programs need to draw from it."""
        quantiles = [round(self.distribution.quantile(percent / 100), 3) for percent in range(1, 100)]
        size = {} if self.for_mib is None else {"for_mib": self.for_mib}
        return {"source": self.source, "date": self.date, **size, "quantiles": quantiles}


@dataclass(frozen=True)
class Profile:
    name: str
    delays: Mapping[str, Delay] = field(default_factory=dict)
    image_mib: Mapping[str, float] = field(default_factory=dict)
    """Image name → compressed MiB; `default` for all others."""

    def delay(self, name: str, variant: str = "") -> Delay | None:
        """The line for this variant, else for the delay; None when it takes no time."""
        assert name in NAMES, name
        return self.delays.get(f"{name}.{variant}") or self.delays.get(name)

    def size(self, image: str) -> float:
        """The compressed MiB of an image."""
        return self.image_mib.get(image, self.image_mib.get("default", _DEFAULT_MIB))

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "delays": {name: delay.to_json() for name, delay in self.delays.items()}}


def load(name: str) -> Profile:
    """A profile by its name or by the path of a TOML file. Raises `ProfileError`."""
    if name == NONE:
        return Profile(NONE)
    shipped = _FOLDER / f"{name}.toml"
    path = shipped if name in known() else Path(name)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise ProfileError(
            f"there is no latency profile {name!r}; there are {', '.join(known())}, and the path of a TOML file"
        ) from None
    return read(text, name)


def known() -> list[str]:
    """The names of the profiles that are part of the product."""
    return [NONE, *sorted(path.stem for path in _FOLDER.glob("*.toml"))]


def read(text: str, name: str) -> Profile:
    """The profile in a TOML text; `name` is for errors and reports. Raises `ProfileError`."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"latency profile {name}: {error}") from None
    if unknown := given.keys() - {"delays", "image_mib"}:
        raise ProfileError(f"latency profile {name}: unknown table {min(unknown)!r}; there are delays and image_mib")
    sizes = given.get("image_mib", {})
    for image, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | float) or size <= 0:
            raise ProfileError(f"latency profile {name}: image_mib of {image!r} must be MiB above 0, got {size!r}")
    return Profile(name, {each: _delay(each, line, name) for each, line in given.get("delays", {}).items()}, sizes)


def _delay(delay: str, line: Any, profile: str) -> Delay:
    where = f"latency profile {profile}, delay {delay!r}"
    if not isinstance(line, dict):
        raise ProfileError(
            f"{where}: it must be a table such as {{ constant = 2, source = …, date = … }}; is it quoted?"
        )
    if delay not in NAMES and not any(delay.startswith(f"{each}.AWS::") for each in BY_VARIANT):
        close = difflib.get_close_matches(delay, NAMES, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(NAMES)}"
        raise ProfileError(f"{where}: the emulated cloud has no such delay; {hint}")
    if unknown := line.keys() - _LINE:
        raise ProfileError(f"{where}: unknown key {min(unknown)!r}; there are {', '.join(sorted(_LINE))}")
    for key in ("source", "date"):
        if not isinstance(line.get(key), str) or not line[key].strip():
            raise ProfileError(
                f'{where}: it has no {key}; say who measured it and when: source = "…", date = "2024-04"'
            )
    size = line.get("for_mib")
    if size is not None and (delay != "ecs.task.image_pull" or not isinstance(size, int | float) or size <= 0):
        raise ProfileError(
            f"{where}: for_mib is the size of an image in MiB, for ecs.task.image_pull only, got {size!r}"
        )
    try:
        distribution = parse(line)
    except ValueError as error:
        raise ProfileError(f"{where}: {error}") from None
    return Delay(delay, distribution, line["source"], line["date"], size)
