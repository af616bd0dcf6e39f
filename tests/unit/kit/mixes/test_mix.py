"""Mixes as values: drawn valid, kept as JSON, shown as steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from webordinary_testkit.kit.backends import capability
from webordinary_testkit.kit.backends.capability import Level
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.mixes import Action, Mix, Person, PlannedFault, Space, Strand, mixes
from webordinary_testkit.kit.mixes import kept as files
from webordinary_testkit.kit.mixes.describe import described
from webordinary_testkit.kit.mixes.mix import BARRIER, from_json, name_of
from webordinary_testkit.kit.mixes.webordinary import Webordinary

EVERYTHING = Space(strands=3, actions=4, faults=2, to_zero=True)
DRAWN = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""A mix is large, and a machine may be busy."""
JOHN = Person("acme", "john")
SMALL = Mix((JOHN,), (Strand(0, (Action("mail"), Action("end", after=5.0))),))


@DRAWN
@given(mixes(space=EVERYTHING))
def test_a_mix_is_the_same_after_its_json_form(mix: Mix) -> None:
    again = from_json(json.loads(json.dumps(mix.to_json())))
    assert again == mix
    assert again.id == mix.id


@DRAWN
@given(mixes(space=EVERYTHING))
def test_every_mix_that_is_drawn_is_valid(mix: Mix) -> None:
    subject = Webordinary()
    assert 1 <= len(mix.strands) <= EVERYTHING.strands
    assert len(set(mix.people)) == len(mix.people)
    for strand in mix.strands:
        assert subject.kinds[strand.actions[0].kind].opens
        assert len(strand.actions) <= EVERYTHING.actions
    for _, _, action in mix.actions():
        kind = subject.kinds[action.kind]
        assert (action.to is not None) == kind.refers
        assert action.waits or kind.can_run_on
        assert action.amount in (kind.amounts or (0.0,))
    assert all(fault.kind in subject.faults for fault in mix.faults)


@DRAWN
@given(
    mixes(
        capabilities=dict.fromkeys(
            (capability.LOAD_BALANCER, capability.ECS_EXEC, capability.SHARED_WORKSPACE), Level.NATIVE
        )
    )
)
def test_what_a_cloud_cannot_do_is_not_drawn(mix: Mix) -> None:
    assert not {action.kind for _, _, action in mix.actions()} & {"mail", "mail_into", "again"}


def test_a_cloud_without_any_way_to_begin_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of action can begin"):
        mixes(capabilities={})


@DRAWN
@given(mixes(space=EVERYTHING))
def test_a_mix_is_shown_as_one_line_for_each_step(mix: Mix) -> None:
    lines = described(mix, Webordinary())
    actions = sum(len(strand.actions) for strand in mix.strands)
    assert len(lines) == len(mix.strands) + actions + len(mix.faults) + 1


def test_the_steps_read_as_sentences() -> None:
    mix = Mix(
        (JOHN, Person("acme", "ann")),
        (
            Strand(0, (Action("mail", amount=20, waits=False), Action(BARRIER), Action("idle", amount=0.5))),
            Strand(1, (Action("mail_into", after=1, to=0), Action(BARRIER))),
        ),
        (PlannedFault("kill_edit", 5, 30),),
    )
    assert described(mix, Webordinary()) == [
        "a (acme/john)",
        "  a.1  sends a mail that adds page a.1; the agent works for 20 s, and does not wait for the result",
        "  a.2  waits for the others",
        "  a.3  does nothing for 0.5 of the idle time",
        "b (acme/ann)",
        "  b.1  1 s later sends a mail that adds page b.1 and quotes the conversation of a",
        "  b.2  waits for the others",
        "at 5 s, for 30 s: the program of an edit task is killed",
        "until every session has ended",
    ]


@pytest.mark.parametrize(
    "value, message",
    [
        ([], "expected a mix as a JSON object, got list"),
        ({}, "it has no version"),
        ({"version": 2}, "the mix has version 2; this kit reads up to 1"),
        ({"version": 1, "people": []}, "a mix needs people"),
        ({"version": 1, "users": []}, "a mix has no users"),
        ({"people": [{"client": "a"}]}, "a Person is incomplete"),
        ({"people": [{"client": "a", "user": 3}]}, "user of a Person is str, got 3"),
        ({"people": [{"client": "a", "user": "b", "age": 3}]}, "a Person has no 'age'"),
        ({"strands": [{"person": 1, "actions": [{"kind": "mail"}]}]}, "strand a is of person 1, of 1"),
        ({"strands": [{"person": True, "actions": [{"kind": "mail"}]}]}, "person is a whole number"),
        ({"strands": [{"person": 0, "actions": []}]}, "a mix needs actions"),
        ({"strands": [{"person": 0, "actions": [{"kind": "mail", "after": -1}]}]}, "after of a Action is 0 or more"),
        ({"strands": [{"person": 0, "actions": [{"kind": "mail", "to": 7}]}]}, "refers to strand 7"),
        ({"faults": [{"kind": "kill_edit", "at": "now", "lasts": 1}]}, "at of a PlannedFault is float"),
    ],
)
def test_what_is_no_mix_is_refused_with_the_reason(value: Any, message: str) -> None:
    if isinstance(value, dict) and value and "version" not in value:
        value = SMALL.to_json() | value
    with pytest.raises(UsageError, match=message):
        from_json(value)


@given(st.integers(0, 2000))
def test_strands_have_different_names(number: int) -> None:
    assert name_of(number) != name_of(number + 1)
    assert name_of(number).isalpha()


def test_a_kept_mix_is_read_again_and_so_is_a_bare_one(tmp_path: Path) -> None:
    kept = files.Kept(SMALL, {"isolation": "m surfaced"}, ("#1 …",), 2, 3, {"seed": 7})
    path = files.write(kept, tmp_path / "mixes")
    assert path.name == f"{SMALL.id}.json"
    assert files.read(path) == kept
    assert kept.is_flaky
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(SMALL.to_json()))
    assert files.read(bare) == files.Kept(SMALL)
    assert [path for path, _ in files.all_in(tmp_path / "mixes")] == [path]


def test_a_file_that_is_no_mix_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(UsageError, match=r"there is no file .*x\.json"):
        files.read(path)
    path.write_text("{")
    with pytest.raises(UsageError, match=r"x\.json is no JSON file"):
        files.read(path)
    path.write_text('{"version": 1}')
    with pytest.raises(UsageError, match="a mix needs people") as error:
        files.read(path)
    assert error.value.where == str(path)
