"""The checkers against a simulated system: sound whatever happens, and each kind of mutation found by its checker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.mutations import MUTATIONS, History
from tests.support.simulated import Move, moves, simulated
from webordinary_testkit.kit.core.checkers import Checker
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


@pytest.mark.parametrize("check", CHECKERS, ids=lambda check: check.__name__)
@given(moves, st.data())
def test_each_mutation_is_found_by_its_checker(check: Checker, made: list[Move], data: st.DataObject) -> None:
    history = History(simulated(made), data.draw(st.integers(0, 20)))
    data.draw(st.sampled_from(MUTATIONS[check.__name__]))(history)
    events = history.numbered()
    finding = check(events)
    assert finding.verdict is Verdict.FAIL, finding.message
    assert finding.witness
    places = [event.index for event in finding.witness]
    assert places == sorted(set(places))
    assert all(events[event.index] is event for event in finding.witness)
