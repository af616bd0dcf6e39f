"""No wake-up is lost between real processes; a broken detector is found out. At length: benchmarks/lost_wakeups.py."""

from __future__ import annotations

import pytest

from tests.support.pingpong.game import play
from webordinary_testkit.awsclock.quiescence import unsupported

pytestmark = pytest.mark.skipif(bool(unsupported()), reason=unsupported())


def test_a_game_of_three_processes_goes_on_as_in_real_time() -> None:
    game = play(40)
    assert game["false"] == {}
    assert game["jumps"] > 1000
    assert game["legs"] > 300 and game["pairs"] > 80, "too little was looked at"


LOOKS_NOWHERE = "from awsclock import quiescence; quiescence.Threads.look = lambda *_: []"
IGNORES_HOLDS = """import dataclasses; from awsclock.page import Page; slots = Page.slots
Page.slots = lambda page: [dataclasses.replace(each, holds=0) for each in slots(page)]"""


@pytest.mark.parametrize(("broken", "found"), [(LOOKS_NOWHERE, "message"), (IGNORES_HOLDS, "work: pause")])
def test_a_broken_detector_is_found_out(broken: str, found: str) -> None:
    assert found in " ".join(play(24, broken=broken)["false"])
