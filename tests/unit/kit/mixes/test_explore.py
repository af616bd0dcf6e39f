"""Exploring, on a system that is a function: found, made small, repeated, continued."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from webordinary_testkit.kit.core.checkers import Finding
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes import Mix, Space, mixes
from webordinary_testkit.kit.mixes.coverage import lines, share, to_json
from webordinary_testkit.kit.mixes.explore import REPEATS, Budget, Explored, Explorer
from webordinary_testkit.kit.mixes.journal import Journal
from webordinary_testkit.kit.mixes.performance import Judgement
from webordinary_testkit.kit.mixes.play import NO_FAULT, Markers
from webordinary_testkit.kit.mixes.webordinary import Webordinary

BAD = Finding(Verdict.FAIL, "the mail is lost")


def ends_then_mails(mix: Mix) -> bool:
    """Whether a mail follows an end: what the planted defect is about."""
    kinds = [[action.kind for action in strand.actions] for strand in mix.strands]
    return any("mail" in strand[strand.index("end") :] for strand in kinds if "end" in strand)


class System:
    """A system that loses a mail after an end: each time, every other time, or never."""

    def __init__(self, every: int = 1) -> None:
        self.performed: list[Mix] = []
        self.seen: list[bool] = []
        self._every = every
        self._times = 0

    def perform(self, mix: Mix) -> Judgement:
        self.performed.append(mix)
        self._times += ends_then_mails(mix)
        fails = ends_then_mails(mix) and self._every > 0 and self._times % self._every == 0
        coverage = Counter((action.kind, "none", NO_FAULT) for _, _, action in mix.actions())
        return Judgement(mix, (("liveness", BAD),) if fails else (), coverage)

    def explore(
        self, path: Path, *, seed: int = 1, examples: int = 300, shrinking: float = 60, goes_on: bool = False
    ) -> Explored:
        journal = Journal(path, seed, goes_on=goes_on)
        budget = Budget(examples, seconds=60, shrinking=shrinking)
        explorer = Explorer(self.perform, Webordinary(), journal, budget, lambda *seen: self.seen.append(seen[2]))
        explored = explorer.explore(mixes(space=Space(strands=3, actions=5)))
        journal.close()
        return explored


def test_a_defect_is_found_and_made_as_small_as_it_can_be(tmp_path: Path) -> None:
    system = System()
    explored = system.explore(tmp_path / "j")
    assert explored.kept is not None
    (strand,) = explored.kept.mix.strands
    assert [action.kind for action in strand.actions][1:] == ["end", "mail"]
    assert all(action.after == 0 and action.waits for action in strand.actions)
    assert (explored.kept.failed, explored.kept.repeated) == (REPEATS, REPEATS)
    assert not explored.kept.is_flaky
    assert explored.kept.findings == {"liveness": "the mail is lost"}
    assert explored.kept.found["size"] >= explored.kept.mix.size
    assert any(system.seen)


def test_each_mix_is_performed_once_before_it_is_repeated(tmp_path: Path) -> None:
    system = System()
    explored = system.explore(tmp_path / "j")
    times = Counter(mix.id for mix in system.performed)
    assert explored.failure is not None
    assert times.pop(explored.failure.mix.id) == 1 + REPEATS
    assert set(times.values()) == {1}


def test_a_defect_that_shows_only_sometimes_is_flaky_and_says_how_often(tmp_path: Path) -> None:
    system = System(every=2)
    explored = system.explore(tmp_path / "j")
    assert explored.kept is not None
    assert explored.kept.is_flaky
    assert 0 <= explored.kept.failed < REPEATS


def test_without_time_for_shrinking_the_first_failure_stays(tmp_path: Path) -> None:
    system = System()
    explored = system.explore(tmp_path / "j", shrinking=0)
    assert explored.kept is not None
    assert explored.kept.mix.size == explored.kept.found["size"]


def test_a_sound_system_has_no_failure_and_the_examples_differ(tmp_path: Path) -> None:
    system = System(every=0)
    explored = system.explore(tmp_path / "j", examples=100)
    assert explored.failure is None
    assert explored.examples == 100
    assert len({mix.id for mix in system.performed}) == 100


def test_a_cloud_that_breaks_ends_the_exploration(tmp_path: Path) -> None:
    class Breaking(System):
        def perform(self, mix: Mix) -> Judgement:
            if len(self.performed) == 3:
                raise InfraError("the cloud is gone")
            return super().perform(mix)

    with pytest.raises(InfraError, match="the cloud is gone"):
        Breaking(every=0).explore(tmp_path / "j")


def test_the_same_seed_draws_the_same_mixes(tmp_path: Path) -> None:
    one, other, third = System(0), System(0), System(0)
    one.explore(tmp_path / "1", examples=30)
    other.explore(tmp_path / "2", examples=30)
    third.explore(tmp_path / "3", examples=30, seed=2)
    assert one.performed == other.performed != third.performed


def test_a_killed_exploration_goes_on_where_it_was(tmp_path: Path) -> None:
    path, system = tmp_path / "j", System(0)
    system.explore(path, examples=20)
    text = path.read_text()
    path.write_text(text[:-20])  # a kill cuts the last line off
    again = System(0)
    again.explore(path, seed=99, examples=20, goes_on=True)
    assert again.performed[0] == system.performed[-1]
    assert not {mix.id for mix in again.performed[1:]} & {mix.id for mix in system.performed}


def test_there_must_be_an_exploration_to_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no exploration to go on with"):
        Journal(tmp_path / "none", 1, goes_on=True)


def test_the_table_shows_what_met_what() -> None:
    coverage = Counter({("mail", "none", NO_FAULT): 3, ("mail", "active", "kill"): 1})
    table = lines(coverage, ["mail", "end"])
    assert table[0].split() == ["under", "active", "none"]
    assert [line.split() for line in table[1:]] == [
        ["mail", "no", "fault", ".", "3"],
        ["end", "no", "fault", ".", "."],
        ["mail", "kill", "1", "."],
    ]
    assert share(coverage, ["mail", "end"], ["kill"]) == 0.5
    assert to_json(coverage)[0] == {"action": "mail", "state": "active", "fault": "kill", "times": 1}
    assert lines(Counter(), ["mail"]) == []


def test_markers_are_found_inside_of_longer_words() -> None:
    markers = Markers()
    markers.all |= {"k7bq3tz9": "a.1", "b2bq3tz8": "a.2"}
    assert markers.found_in("page-k7bq3tz9") == ["k7bq3tz9"]
    text = "x" * 100 + "k7bq3tz9b2bq3tz8 " + "<p>xk7bq3tz9</p>" * 3
    assert markers.found_in(text) == ["b2bq3tz8", "k7bq3tz9"]
    assert markers.found_in("") == []
