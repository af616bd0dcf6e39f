"""The clock page: its time, its slots, and its errors."""

from __future__ import annotations

import mmap
import os
import threading
import time
from pathlib import Path

import pytest

from webordinary_testkit.awsclock.page import BUSY, IDLE, NEVER, SLOTS, START_SECOND, ClockPageError, Page, ring


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.create(tmp_path / "clock")


def test_time_starts_at_a_fixed_second_of_the_next_minute(page: Page) -> None:
    ahead = page.now() / 1e9 - time.time()
    assert 0 <= ahead - START_SECOND <= 60
    assert page.now() / 1e9 % 60 == pytest.approx(START_SECOND, abs=1)


def test_a_jump_moves_time_forward_for_every_reader(page: Page) -> None:
    other = Page(page.folder)
    page.jump(page.now() + 3_600_000_000_000)
    assert other.now() - (time.time_ns() + 3_600_000_000_000) > 0
    assert (other.jumps, page.jumps) == (1, 1)


def test_no_jump_goes_back(page: Page) -> None:
    before = page.now()
    page.jump(before - 10**12)
    assert page.now() >= before
    assert page.jumps == 0


def test_a_slot_says_what_its_owner_publishes(page: Page) -> None:
    index = page.claim("the worker")
    (slot,) = page.slots()
    assert (slot.pid, slot.state, slot.deadline, slot.holds, slot.task) == (os.getpid(), BUSY, NEVER, 0, False)
    page.hold(index, 1, "git commit")
    assert page.idle(index, 17, drives=True)
    (slot,) = page.slots()
    assert (slot.state, slot.deadline, slot.holds, slot.drives) == (IDLE, 17, 1, True)
    assert (page.name(index), page.held(index)) == ("the worker", "git commit")


def test_a_slot_changes_its_version_whenever_its_loop_wakes_or_rests(page: Page) -> None:
    index, versions = page.claim("a"), set()
    for _ in range(3):
        page.idle(index, NEVER, drives=False)
        versions.add(page.slots()[0].version)
        page.busy(index)
        versions.add(page.slots()[0].version)
    assert len(versions) == 6


def test_only_the_last_to_rest_learns_that_all_rest(page: Page) -> None:
    first, second = page.claim("a"), page.claim("b")
    assert not page.idle(first, NEVER, drives=False)
    assert page.idle(second, NEVER, drives=False)


def test_a_slot_is_given_to_the_process_that_was_started(page: Page) -> None:
    index = page.claim("a task", task=True)
    page.give(index, 1)
    assert [(each.pid, each.task, each.state) for each in page.slots()] == [(1, True, BUSY)]


def test_a_slot_that_its_process_has_taken_is_given_to_no_other(page: Page) -> None:
    index = page.claim("a task", task=True)
    page.take(index, 1)
    page.give(index, 2)
    page.free(index, os.getpid())
    assert [each.pid for each in page.slots()] == [1]


def test_a_freed_slot_is_claimed_again(page: Page) -> None:
    index = page.claim("a")
    page.free(index, os.getpid())
    assert page.slots() == []
    assert page.claim("b") == index


def test_threads_claim_different_slots(page: Page) -> None:
    claimed: list[int] = []
    threads = [threading.Thread(target=lambda: claimed.append(page.claim("a"))) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == list(range(24))


def test_a_claim_without_a_free_slot_is_refused(page: Page) -> None:
    for _ in range(SLOTS):
        page.claim("a")
    with pytest.raises(ClockPageError, match=f"all {SLOTS} slots"):
        page.claim("one too many")


def test_long_names_are_cut_and_leave_the_neighbours_alone(page: Page) -> None:
    first, second = page.claim("x" * 300), page.claim("the neighbour")
    page.hold(first, 1, "y" * 300)
    assert page.name(first) == "x" * 63
    assert page.held(first) == "y" * 127
    assert page.name(second) == "the neighbour"


def test_a_full_pipe_still_rings(page: Page) -> None:
    bell = page.fifo()
    for _ in range(100_000):
        ring(bell)
    assert os.read(bell, 1) == b"x"
    os.close(bell)


def test_a_folder_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClockPageError, match=r"cannot be mapped .*emulated\.clock = \"scaled\""):
        Page(tmp_path)


def test_a_file_system_without_mmap_is_refused(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*_: object) -> None:
        raise OSError(19, "No such device")

    monkeypatch.setattr(mmap, "mmap", refuses)
    with pytest.raises(ClockPageError, match=r"No such device.*with mmap; next: set TMPDIR"):
        Page(page.folder)


def test_the_page_of_another_version_is_refused(page: Page) -> None:
    page.path.write_bytes(bytes(page.path.stat().st_size))
    with pytest.raises(ClockPageError, match="no clock page of this version"):
        Page(page.folder)


def test_a_page_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ClockPageError, match="cannot be made"):
        Page.create(tmp_path / "file")
