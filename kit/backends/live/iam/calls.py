"""The AWS calls of a live run by caller, read from a rehearsal's record and kept in calls.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

from ....core.errors import UsageError
from ...emulated.rehearsal import OWNER
from ..rules import MAILS, TAGGED, TOUCHES

FILE = "calls.json"
RUN = "run"
"""Calls of the kit, with the role's credentials."""
CLOUDFORMATION = "cloudformation"
"""Calls that CloudFormation makes for the stack, with the deployer's credentials."""

RARE_READS: Mapping[str, str] = {
    "acm.DescribeCertificate": "kit doctor, where live.certificate is set",
    "dynamodb.Scan": "the evidence of a scenario that failed",
    "ecr.BatchGetImage": "kit doctor: an image's manifest",
    "ecr.GetDownloadUrlForLayer": "kit doctor: the architecture of an image without an index",
    "service-quotas.GetAWSDefaultServiceQuota": "kit doctor, where the quota is AWS's default",
}
"""Reads that no rehearsal makes, and when the kit makes them."""


@dataclass
class Calls:
    """`by[caller]` holds the calls, as `service.Operation`."""

    by: dict[str, set[str]] = field(default_factory=lambda: {RUN: set(), CLOUDFORMATION: set()})

    def add(self, call: Mapping[str, Any]) -> None:
        """Adds a line of a record, unless it needs no permission of the role."""
        caller = caller_of(call)
        if caller:
            self.by[caller].add(f"{call['service']}.{call['operation']}")

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """Caller → service → operations."""
        by: dict[str, dict[str, list[str]]] = {}
        for caller, calls in self.by.items():
            for call in sorted(calls):
                service, _, operation = call.partition(".")
                by.setdefault(caller, {}).setdefault(service, []).append(operation)
        return by


def caller_of(call: Mapping[str, Any]) -> str:
    """`RUN`, `CLOUDFORMATION`, or empty for tasks, AWS's services and the owner of the account."""
    if call["caller_kind"] == "external":
        return "" if call["caller"] == OWNER else RUN
    return CLOUDFORMATION if (call["caller_kind"], call["caller"]) == ("service", CLOUDFORMATION) else ""


def read_record(path: Path) -> Iterator[dict[str, Any]]:
    """The calls of a record, or of the record in a run's folder. Raises `UsageError` when there is none."""
    file = path / "calls.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            f"there is no record of calls at {file}", next="make one: kit rehearse writes it to its run's folder"
        )
    with file.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.endswith("\n"))


def read_records(paths: Iterable[Path]) -> Calls:
    """The calls of all these records."""
    found = Calls()
    for path in paths:
        for call in read_record(path):
            found.add(call)
    return found


def checked_in_calls() -> Calls:
    """The calls of `calls.json`."""
    return parse_calls(json.loads((files(__package__) / FILE).read_text(encoding="utf-8")))


def parse_calls(by: Mapping[str, Mapping[str, Iterable[str]]]) -> Calls:
    return Calls(
        {
            who: {f"{service}.{operation}" for service, operations in services.items() for operation in operations}
            for who, services in {RUN: {}, CLOUDFORMATION: {}, **by}.items()
        }
    )


def always_allowed() -> set[str]:
    """Calls that the role permits although a rehearsal may not make them: the changes that the guard permits (such as
    the janitor deleting a queue without its stack, or a fault undone after a crash) and rare reads."""
    return {*TOUCHES, *TAGGED, *MAILS, *RARE_READS}


def differences(expected: Calls, fresh: Calls) -> list[str]:
    """Calls that are missing from the expected ones, and expected calls that were not made. Ignores
    `always_allowed`: the policy contains them in any case."""
    found = []
    for who in (RUN, CLOUDFORMATION):
        by = "the run" if who == RUN else "CloudFormation"
        if who == RUN:
            expected, fresh = (Calls({**each.by, RUN: each.by[RUN] - always_allowed()}) for each in (expected, fresh))
        found += [f"missing: {by} calls {call}" for call in sorted(fresh.by[who] - expected.by[who])]
        found += [f"superfluous: {by} never calls {call}" for call in sorted(expected.by[who] - fresh.by[who])]
    return found
