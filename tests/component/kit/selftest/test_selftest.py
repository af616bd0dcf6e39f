"""The self-test: what counts as detected, and that every break applies to the reference system."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from webordinary_testkit.kit.backends.emulated.programs import MODULES
from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.harness.steps import Step
from webordinary_testkit.kit.runner.outcome import Outcome
from webordinary_testkit.kit.scenarios.registry import all_scenarios
from webordinary_testkit.kit.selftest import breaking
from webordinary_testkit.kit.selftest.breaking import Break
from webordinary_testkit.kit.selftest.detection import judge, sound

BREAKS = breaking.names()


def a_break(says: str = "to be 200") -> Break:
    return Break("hermes", "contract", says)


def test_red_for_its_own_reason_is_noticed() -> None:
    finding = judge("x", a_break(), Outcome("contract", Verdict.FAIL, message="expected: status to be 200\nseen: 404"))
    assert finding.caught
    assert finding.why == "to be 200"


@pytest.mark.parametrize(
    ("verdict", "message", "why"),
    [
        (Verdict.PASS, "", "GREEN"),
        (Verdict.FAIL, "something else", "RED FOR ANOTHER REASON than 'to be 200': something else"),
        (Verdict.INFRA, "status to be 200", "NOT DECIDED: infra"),
        (Verdict.UNKNOWN, "status to be 200", "NOT DECIDED: unknown"),
        (None, "", "NOT DECIDED: skipped"),
    ],
)
def test_anything_else_is_not(verdict: Verdict | None, message: str, why: str) -> None:
    finding = judge("x", a_break(), Outcome("contract", verdict, message=message))
    assert not finding.caught
    assert finding.why.startswith(why)


def test_red_in_another_step_is_not_noticed() -> None:
    held = Step("1 first mails", 0.0, held=True)
    message = "expected: status to be 200"
    broken = Break("hermes", "contract", "to be 200", step="^3 a third")
    first, third = Step("2 answers", 0.0), Step("3 a third mail", 0.0)
    assert judge("x", broken, Outcome("contract", Verdict.FAIL, message=message, steps=[held, third])).caught
    for steps in ([held, first], [held], []):
        finding = judge("x", broken, Outcome("contract", Verdict.FAIL, message=message, steps=steps))
        assert not finding.caught
        assert finding.why.startswith("RED IN ANOTHER STEP than '^3 a third'")


def test_a_scenario_that_is_red_when_nothing_is_broken_shows_nothing() -> None:
    assert sound(Outcome("contract", Verdict.PASS)).caught
    assert not sound(Outcome("contract", Verdict.FAIL, message="slow")).caught
    assert not sound(Outcome("contract", None)).caught


def test_no_break_is_lost() -> None:
    assert len(BREAKS) == 46


@pytest.mark.parametrize("name", BREAKS)
def test_each_break_names_a_scenario_and_says_what_it_is(name: str) -> None:
    found = breaking.load(name)
    assert found.scenario in {breaking.MIXES, *(scenario.name for scenario in all_scenarios())}
    re.compile(found.by_mixes)
    assert found.program in MODULES
    assert breaking.about(name).endswith(".")
    re.compile(found.says)


def test_every_break_finds_what_it_breaks() -> None:
    """In a process of its own each, forked from one that has the programs loaded: breaks do not pile up."""
    code = """
import os, sys
from webordinary_testkit.kit.selftest import breaking
breaking.aim(sys.argv[1])
for module in ("hermes.app", "edit.app"):
    breaking.part(module)
for name in breaking.names():
    child = os.fork()
    if child == 0:
        breaking.load(name).apply()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{name} does not apply")
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, MODULES["hermes"]], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr


def test_what_is_not_there_cannot_be_broken() -> None:
    breaking.aim(MODULES["hermes"])
    absent, unrouted = a_break(), a_break()
    absent.replaces("hermes.replies", "Replies.gone")(print)
    unrouted.reroutes("hermes.replies", "/gone")(print)
    for broken in (absent, unrouted):
        with pytest.raises(AttributeError):
            broken.apply()


def test_a_program_starts_only_with_a_break_and_a_module() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "webordinary_testkit.kit.selftest.broken"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "usage: python -m webordinary_testkit.kit.selftest.broken BREAK -- MODULE" in ended.stderr


def test_the_broken_program_is_the_program() -> None:
    argv = [
        sys.executable,
        "-m",
        "webordinary_testkit.kit.selftest.broken",
        "reply_never_sent",
        "--",
        MODULES["hermes"],
    ]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, env={})
    assert ended.returncode == 2
    assert "hermes: " in ended.stderr


def test_a_break_that_is_not_there_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "status_always_500"]) == 2
    assert "did you mean 'status_always_404'?" in capsys.readouterr().err


def test_the_list_shows_every_break(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["selftest", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == BREAKS
