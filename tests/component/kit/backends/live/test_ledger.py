"""The ledger: what a run creates stands in it before it is there, whatever kills the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.kit import START, ManualClock
from webordinary_testkit.kit.backends.live.ledger import CREATED, Header, RunLedger, ledgers, read
from webordinary_testkit.kit.core.errors import UsageError

HEADER = Header("run-1", "123456789012", "us-west-2", "it", START + 60)


def a_ledger(folder: Path) -> RunLedger:
    return RunLedger.of_run(folder, HEADER, ManualClock())


def test_nothing_is_written_before_the_first_entry(tmp_path: Path) -> None:
    a_ledger(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_intended_is_on_disk_at_once(tmp_path: Path) -> None:
    a_ledger(tmp_path).intend("AWS::SQS::Queue", "inbound", stack="it")
    found = read(tmp_path / "ledger" / "run-1.jsonl", ManualClock())
    assert found.header == HEADER
    assert [(entry.kind, entry.name, entry.facts) for entry in found.open()] == [
        ("AWS::SQS::Queue", "inbound", {"stack": "it"})
    ]


def test_what_is_open_is_told_newest_first_and_removed_is_not_open(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    first, second, third = (ledger.intend("thing", name) for name in "abc")
    ledger.created(first, "arn:a")
    ledger.removed(second)
    assert [entry.name for entry in ledger.open()] == ["c", "a"]
    again = read(ledger.path, ManualClock())
    assert [(entry.name, entry.state) for entry in again.open()] == [("c", third.state), ("a", CREATED)]
    assert again.holds("arn:a") and again.holds("a") and not again.holds("b")


def test_a_line_cut_off_by_a_kill_is_left_out_and_the_ledger_goes_on_behind_it(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.intend("thing", "whole")
    with ledger.path.open("a") as file:
        file.write('{"index": 1, "kind": "thing", "na')
    again = read(ledger.path, ManualClock())
    assert [entry.name for entry in again.open()] == ["whole"]
    again.removed(again.open()[0])
    again.intend("thing", "next")
    assert [entry.name for entry in read(ledger.path, ManualClock()).open()] == ["next"]


def test_all_ledgers_are_found_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    a_ledger(tmp_path).intend("thing", "a")
    (tmp_path / "ledger" / "cut-off.jsonl").write_text('{"ledger": 1, "ru')
    assert [ledger.header.run for ledger in ledgers(tmp_path, ManualClock())] == ["run-1"]
    with pytest.raises(UsageError, match="no ledger"):
        read(tmp_path / "ledger" / "cut-off.jsonl", ManualClock())


def test_a_header_tells_whether_its_process_lives() -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert HEADER.pid == os.getpid() and HEADER.runs_here is True
    assert Header("r", "1", "r", "s", 0.0, pid=int(gone.stdout)).runs_here is False
    assert Header("r", "1", "r", "s", 0.0, host="elsewhere").runs_here is None
