"""What a live run calls, by who makes the call: read from a stand-in's record, kept in calls.json."""

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

KEPT = "calls.json"
RUN = "run"
"""Calls of the kit itself, with the role's credentials."""
CLOUDFORMATION = "cloudformation"
"""Calls that CloudFormation makes for the stack, with the credentials of whoever deploys it."""

SOMETIMES: Mapping[str, str] = {
    "acm.DescribeCertificate": "kit doctor, where live.certificate is set",
    "dynamodb.Scan": "the evidence of a scenario that failed",
    "ecr.BatchGetImage": "kit doctor: what an image is made of",
    "ecr.GetDownloadUrlForLayer": "kit doctor: the machines of an image that was pushed without an index",
    "service-quotas.GetAWSDefaultServiceQuota": "kit doctor, where nobody asked for another quota than AWS's default",
}
"""Looks that the kit takes where a rehearsal never comes, and when."""


@dataclass
class Calls:
    """`by[who]` is what is called, as `service.Operation`."""

    by: dict[str, set[str]] = field(default_factory=lambda: {RUN: set(), CLOUDFORMATION: set()})

    def add(self, call: Mapping[str, Any]) -> None:
        """One line of a record; what is neither the run's nor CloudFormation's needs no permission of the role."""
        who = who_called(call)
        if who:
            self.by[who].add(f"{call['service']}.{call['operation']}")

    def everything(self) -> Iterator[tuple[str, str]]:
        for who, called in self.by.items():
            yield from ((who, each) for each in sorted(called))

    def to_json(self) -> dict[str, dict[str, list[str]]]:
        """By service."""
        told: dict[str, dict[str, list[str]]] = {}
        for who, call in self.everything():
            service, _, operation = call.partition(".")
            told.setdefault(who, {}).setdefault(service, []).append(operation)
        return told


def who_called(call: Mapping[str, Any]) -> str:
    """`RUN`, `CLOUDFORMATION`, or empty for tasks, AWS's own services and the owner of the account."""
    if call["caller_kind"] == "external":
        return "" if call["caller"] == OWNER else RUN
    return CLOUDFORMATION if (call["caller_kind"], call["caller"]) == ("service", CLOUDFORMATION) else ""


def recorded(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a record, or of the one in a run's folder. Raises `UsageError` when there is none."""
    file = path / "calls.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise UsageError(
            f"there is no record of calls at {file}", next="make one: kit rehearse leaves it in its run's folder"
        )
    with file.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.endswith("\n"))


def gathered(paths: Iterable[Path]) -> Calls:
    """What these records have together."""
    found = Calls()
    for path in paths:
        for call in recorded(path):
            found.add(call)
    return found


def kept() -> Calls:
    """What is checked in."""
    return parsed(json.loads((files(__package__) / KEPT).read_text(encoding="utf-8")))


def parsed(told: Mapping[str, Mapping[str, Iterable[str]]]) -> Calls:
    return Calls(
        {
            who: {f"{service}.{operation}" for service, operations in services.items() for operation in operations}
            for who, services in {RUN: {}, CLOUDFORMATION: {}, **told}.items()
        }
    )


def in_need() -> set[str]:
    """Changing calls that the guard lets a run make on what is its own, and looks that are taken sometimes: not every
    rehearsal has the need (a janitor that finds a queue without its stack, a fault that is undone after a crash), and
    the role must let them through."""
    return {*TOUCHES, *TAGGED, *MAILS, *SOMETIMES}


def differences(expected: Calls, fresh: Calls) -> list[str]:
    """What was called and is not expected, and what is expected and nobody called; empty when they are the same.

    Calls that are allowed in need are left out: the policy has them whether they were made or not.
    """
    told = []
    for who in (RUN, CLOUDFORMATION):
        by = "the run" if who == RUN else "CloudFormation"
        if who == RUN:
            expected, fresh = (Calls({**each.by, RUN: each.by[RUN] - in_need()}) for each in (expected, fresh))
        told += [f"missing: {by} calls {call}" for call in sorted(fresh.by[who] - expected.by[who])]
        told += [f"superfluous: {by} never calls {call}" for call in sorted(expected.by[who] - fresh.by[who])]
    return told
