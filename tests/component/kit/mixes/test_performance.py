"""Mixes on a real emulated cloud: performed, judged, and found when the system is broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from webordinary_testkit.awsclock.loop import run as run_loop
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.mixes import Action, Mix, Person, PlannedFault, Space, Strand
from webordinary_testkit.kit.mixes.exploration import explore
from webordinary_testkit.kit.mixes.explore import Budget
from webordinary_testkit.kit.mixes.mix import BARRIER
from webordinary_testkit.kit.mixes.performance import Stage
from webordinary_testkit.kit.mixes.webordinary import Webordinary
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.settings import load

JOHN, ANN = Person("acme", "john"), Person("acme", "ann")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    started = Run(load({"report_dir": str(tmp_path_factory.mktemp("kit"))}))
    run_loop(started.start())
    yield started
    run_loop(started.stop())


@pytest.fixture(scope="module")
def stage(run: Run) -> Stage:
    return Stage(run.context(), Webordinary())


def test_everything_that_sessions_can_do_is_performed_and_covered(stage: Stage) -> None:
    mix = Mix(
        (JOHN, ANN),
        (
            Strand(0, (Action("mail", waits=False), Action("mail"), Action("watch"), Action("again"), Action("mail"))),
            Strand(1, (Action("open"), Action("visit"), Action(BARRIER), Action("keepalive"), Action("end"))),
            Strand(0, (Action("mail_into", to=0), Action(BARRIER), Action("idle", amount=1.05), Action("mail"))),
            Strand(1, (Action("open_into", after=1, to=0), Action("robot", amount=2.0))),
        ),
    )
    judged = run_loop(stage.perform(mix))
    assert judged.verdict is Verdict.PASS, judged.text()
    assert {kind for kind, _, _ in judged.coverage} == set(Webordinary().kinds)
    seen = {e.touches["place"] for e in stage.run.history.events(judged.scenario) if e.name == "mix.saw"}
    assert seen == {"files", "history", "preview", "hot_reload"}


def test_a_mix_may_end_at_zero_and_meet_a_fault(stage: Stage) -> None:
    mix = Mix(
        (JOHN,), (Strand(0, (Action("mail", amount=20), Action("mail"))),), (PlannedFault("kill_edit", 5, 5),), True
    )
    judged = run_loop(stage.perform(mix))
    assert judged.verdict is Verdict.PASS, judged.text()
    events = stage.run.history.events(judged.scenario)
    assert {"nemesis.inject", "nemesis.undo", "mix.healed", "mix.quiet"} <= {event.name for event in events}


def test_a_short_exploration_of_the_reference_system_finds_nothing(run: Run) -> None:
    explored = run_loop(explore(run, Space(strands=3, actions=3), Budget(examples=8, seconds=20), seed=20261201))
    assert explored.failure is None, explored.failure and explored.failure.text()
    assert explored.unknown == []
    assert 1 <= explored.examples <= 8
    assert run.report.outcomes[-1].verdict is Verdict.PASS
    assert run.report.to_json(0.0)["run"]["mixes"]["coverage"]
