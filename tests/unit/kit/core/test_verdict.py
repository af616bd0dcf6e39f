"""The algebra of verdicts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.kit.core.verdict import Verdict, combined, of_checks

verdicts = st.sampled_from(list(Verdict))


@given(verdicts, verdicts, verdicts)
def test_combining_is_associative(a: Verdict, b: Verdict, c: Verdict) -> None:
    assert (a | b) | c == a | (b | c)


@given(verdicts, verdicts)
def test_combining_is_commutative(a: Verdict, b: Verdict) -> None:
    assert a | b == b | a


@given(verdicts)
def test_pass_is_neutral_and_nothing_heals(a: Verdict) -> None:
    assert a | Verdict.PASS == a
    assert a | a == a


@given(st.lists(verdicts, min_size=1))
def test_a_whole_passes_only_when_every_part_does(parts: list[Verdict]) -> None:
    assert (combined(parts) is Verdict.PASS) == all(part is Verdict.PASS for part in parts)


@given(st.lists(verdicts))
def test_one_failure_fails_the_whole(parts: list[Verdict]) -> None:
    assert combined([*parts, Verdict.FAIL]) is Verdict.FAIL


def test_over_nothing_the_verdict_is_unknown() -> None:
    assert combined([]) is Verdict.UNKNOWN


def test_a_scenario_that_asserted_nothing_has_not_passed() -> None:
    assert of_checks(0) is Verdict.UNKNOWN
    assert of_checks(1) is Verdict.PASS


def test_only_a_pass_ends_a_command_with_zero() -> None:
    assert [verdict for verdict in Verdict if verdict.exit_code == 0] == [Verdict.PASS]
    assert len({verdict.exit_code for verdict in Verdict}) == len(Verdict)
