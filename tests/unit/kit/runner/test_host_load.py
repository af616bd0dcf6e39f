"""A failure on a busy machine and a fast clock, or on a full disk, says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from webordinary_testkit.kit.runner.host_load import explain_disk, explain_load, load_average


def test_a_busy_machine_is_named_with_what_to_do() -> None:
    assert "a load of 14.5 on 2 processor(s), while an idle minute of AWS was 1.0 s of it" in explain_load(60, 14.5, 2)
    assert explain_load(60, 14.5, 2).endswith("--scale 20")


def test_in_real_time_or_with_little_to_do_the_machine_is_not_to_blame() -> None:
    assert explain_load(1, 14.5, 2) == ""
    assert explain_load(60, 1.9, 2) == ""


def test_the_load_is_known_everywhere() -> None:
    running, processors = load_average()
    assert running >= 0
    assert processors >= 1


def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webordinary_testkit.kit.runner.host_load._ROOM", 1 << 62)

    said = explain_disk((tmp_path,))

    assert said.startswith(f"the disk of {tmp_path} is full: ")
    assert "set TMPDIR to a folder with more" in said


def test_a_disk_with_room_is_not_to_blame(tmp_path: Path) -> None:
    assert explain_disk((tmp_path,)) == ""
