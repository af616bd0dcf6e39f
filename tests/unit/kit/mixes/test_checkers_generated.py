"""The checkers against a simulated system: sound whatever happens, and each kind of mutation found by its checker."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.support.simulated import Move, moves, simulated
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes.checkers import CHECKERS


@given(moves)
def test_a_sound_system_passes_every_checker(made: list[Move]) -> None:
    events = simulated(made).events()
    for check in CHECKERS:
        finding = check(events)
        assert finding.verdict is Verdict.PASS, (check.__name__, finding.message, finding.witness)


@given(moves, st.integers(0, 1000))
def test_no_beginning_of_a_sound_history_fails(made: list[Move], length: int) -> None:
    events = simulated(made).events()[:length]
    for check in CHECKERS:
        finding = check(events)
        assert finding.verdict is not Verdict.FAIL, (check.__name__, finding.message, finding.witness)
