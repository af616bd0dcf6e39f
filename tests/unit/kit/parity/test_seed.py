"""Two runs of one seed: every operation of each strand, and the delays of the cloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.history import History, by_chance
from webordinary_testkit.kit.parity import Parity, compare, read_run

DELAY = {"delay": "ecs.task.start", "resource": "service:edit 1", "number": 1, "seconds": 2.5}
WAIT = {"delay": "cloudwatch.alarm.evaluation", "resource": "alarm idle 1", "seconds": 7.0}


def a_run(folder: Path, *operations: str, delays: tuple[dict[str, object], ...] = (DELAY, WAIT)) -> Path:
    """A run with these operations in one strand; those in brackets happen by chance."""
    history = History(Clock(), folder / "history.jsonl")
    with history.scenario("outage"):
        for name in operations:
            if name.startswith("("):
                with by_chance():
                    history.note(name, value={})
            else:
                history.note(name, value={})
    history.close()
    scenario = {"name": "outage", "verdict": "pass", "asserted": 1, "aws_seconds": 5.0, "steps": []}
    (folder / "report.json").write_text(json.dumps({"run": {"id": folder.name}, "scenarios": [scenario]}))
    lines = [{"profile": {"name": "published"}, "seed": 7}, *delays]
    (folder / "delays.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def compared(a: Path, b: Path) -> Parity:
    return compare(read_run(a), read_run(b), times=True)


def test_operations_in_another_order_are_found(tmp_path: Path) -> None:
    a, b = a_run(tmp_path / "a", "send_mail", "visit"), a_run(tmp_path / "b", "visit", "send_mail")
    assert [each.what for each in compared(a, b).all_differences] == ["operation"]
    assert compare(read_run(a), read_run(b)).holds()


def test_retries_and_what_happens_by_chance_are_the_same_in_any_number(tmp_path: Path) -> None:
    a = a_run(tmp_path / "a", "activate", "activate", "(keepalive)", "visit")
    b = a_run(tmp_path / "b", "activate", "visit", "(keepalive)", "(keepalive)")
    assert compared(a, b).all_differences == []
    assert compared(a, b).of_one_seed == "2 operations and 1 delays of the cloud"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (({**DELAY, "seconds": 3}, WAIT), ["differs: service:edit 1: ecs.task.start, number 1"]),
        ((DELAY, {**WAIT, "seconds": 8.0}), []),
        ((DELAY, {**DELAY, "number": 2}), []),
    ],
)
def test_a_delay_of_the_same_resource_is_as_long(
    tmp_path: Path, change: tuple[dict[str, object], ...], found: list[str]
) -> None:
    a, b = a_run(tmp_path / "a", "visit"), a_run(tmp_path / "b", "visit", delays=change)
    assert [each.how for each in compared(a, b).all_differences] == found
