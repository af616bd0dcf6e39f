"""The table of what an exploration has covered: which action met which state of its session, under which fault."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from .performance import Coverage
from .play import NO_FAULT


def lines(coverage: Coverage, kinds: Collection[str]) -> list[str]:
    """The table for a terminal: a line for each kind of action and fault, a column for each state."""
    if not coverage:
        return []
    states = sorted({state for _, state, _ in coverage})
    faults = sorted({fault for *_, fault in coverage}, key=lambda fault: (fault != NO_FAULT, fault))
    width = max(len(kind) for kind in kinds)
    head = [f"{'':{width}}  {'under':14}", *(f"{state:>14}" for state in states)]
    table = ["".join(head)]
    for fault in faults:
        for kind in kinds:
            numbers = [coverage[kind, state, fault] for state in states]
            if fault == NO_FAULT or any(numbers):
                cells = "".join(f"{number or '.':>14}" for number in numbers)
                table.append(f"{kind:{width}}  {'no fault' if fault == NO_FAULT else fault:14}{cells}")
    return table


def share(coverage: Coverage, kinds: Collection[str], faults: Collection[str]) -> float:
    """The share of the pairs of action and fault, no fault included, that were covered in any state."""
    pairs = {(kind, fault) for kind in kinds for fault in (NO_FAULT, *faults)}
    return len(pairs & {(kind, fault) for kind, _, fault in coverage}) / len(pairs)


def to_json(coverage: Coverage) -> list[dict[str, Any]]:
    """For the report: a row for each triple."""
    return [
        {"action": kind, "state": state, "fault": None if fault == NO_FAULT else fault, "times": times}
        for (kind, state, fault), times in sorted(coverage.items())
    ]
