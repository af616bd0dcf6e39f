"""Two runs side by side: what was made up for a run is paired, everything else that differs is found."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.core.ids import Ids
from webordinary_testkit.kit.parity import Parity, RecordedRun, compare, read_run
from webordinary_testkit.kit.parity.align import align, align_strands
from webordinary_testkit.kit.parity.observation import RecordedCheck, RecordedScenario, RecordedStep
from webordinary_testkit.kit.parity.page import lines, markdown
from webordinary_testkit.kit.parity.substitution import Substitution
from webordinary_testkit.kit.parity.values import parse

WORDS = ("the page of", "a reply to", "session", "exactly", "healthy", "task(s)", "hermes", "edit", "to be", "3", "200")


# ---- Telling made-up values from words
@pytest.mark.parametrize(
    ("text", "template"),
    [
        (
            "session TEST_0bd24f6a-d1da-5a90-aea1-9faefae9c292 of testz8sgzscb@clients.it.example",
            "session TEST_{id} of test{id}@{domain}",
        ),
        (
            "the status of POST http://127.0.0.1:42067/hermes/api to be 201",
            "the status of POST {address}/hermes/api to be 201",
        ),
        ("Hermes to receive <jbkgv2j2j5xzctjc@clients.it.example>", "Hermes to receive {mail id}"),
        ("Hermes to receive <0101-1c27-000000@us-west-2.amazonses.com>", "Hermes to receive {mail id}"),
        ("commit 2f1c9ab of quotes-vbfhkhw7", "commit {id} of quotes-{id}"),
        (
            "arn:aws:ecs:us-west-2:123456789012:task/c/13d69e5c944f7390662139571dc97496",
            "arn:aws:ecs:us-west-2:{account}:task/c/{id}",
        ),
        ("since 2026-11-22T19:20:44.522Z", "since {time}"),
    ],
)
def test_what_is_made_up_for_a_run_is_told_from_what_is_the_scenarios(text: str, template: str) -> None:
    assert parse(text).template == template


@pytest.mark.parametrize(
    "text",
    ["service hermes to have exactly 0 task(s)", "the text 'quotes' literally", "20 sessions at once, within 60 s"],
)
def test_words_and_numbers_stay(text: str) -> None:
    assert parse(text).template == text and not parse(text).values


@given(st.integers())
def test_every_marker_is_known_behind_any_name(seed: int) -> None:
    marker = Ids(seed).marker()
    for name in ("test", "quotes-", "page ", "rest"):
        assert parse(f"{name}{marker}").values == (("id", marker),)


# ---- Pairing
def test_a_value_stands_for_the_same_one_ever_after() -> None:
    pairs = Substitution()
    one, other = "00000001-aaaa-bbbb-cccc-000000000001", "00000002-aaaa-bbbb-cccc-000000000002"
    pairs.learn(parse(one), parse(other))
    assert pairs.conflict(parse(one), parse(other)) == ""
    assert "stood for" in pairs.conflict(parse(one), parse(one))
    assert "stood for" in pairs.conflict(parse(other), parse(other))


def test_one_text_that_pairs_a_value_twice_is_found() -> None:
    a = "00000001-aaaa-bbbb-cccc-000000000001"
    b, c = "00000002-aaaa-bbbb-cccc-000000000002", "00000003-aaaa-bbbb-cccc-000000000003"
    assert "stood for" in Substitution().conflict(parse(f"{a} {a}"), parse(f"{b} {c}"))


# ---- Properties: a run and the same run with other ids is the same; with anything else it is not
def some_text(draw: st.DrawFn) -> str:
    parts = draw(st.lists(st.sampled_from((*WORDS, "{0}", "{1}", "{2}")), min_size=1, max_size=6))
    return " ".join(parts)


texts = st.lists(st.composite(some_text)(), min_size=1, max_size=12)


def with_ids(templates: Sequence[str], seed: int) -> list[str]:
    ids = Ids(seed)
    made = [f"test{ids.marker()}", f"TEST_{ids.marker()}", f"<{ids.marker()}@it.example>"]
    return [each.format(*made) for each in templates]


def differences(a: Sequence[str], b: Sequence[str]) -> list[str]:
    found, _ = align("check", [parse(each) for each in a], [parse(each) for each in b], Substitution())
    return [each.how for each in found]


@given(texts, st.integers(), st.integers())
def test_other_ids_make_no_difference(templates: list[str], one: int, other: int) -> None:
    assert differences(with_ids(templates, one), with_ids(templates, other)) == []


@given(texts, st.data())
def test_a_missing_text_is_always_found(templates: list[str], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, len(templates) - 1))
    shorter = templates[:gone] + templates[gone + 1 :]
    assert "only in A" in differences(with_ids(templates, 1), with_ids(shorter, 2))
    assert "only in B" in differences(with_ids(shorter, 1), with_ids(templates, 2))


@given(texts, st.data())
def test_a_renamed_text_is_always_found(templates: list[str], data: st.DataObject) -> None:
    where = data.draw(st.integers(0, len(templates) - 1))
    renamed = [*templates]
    renamed[where] = data.draw(st.composite(some_text)().filter(lambda text: text != templates[where]))
    assert differences(with_ids(templates, 1), with_ids(renamed, 2)) != []


@given(texts, st.data())
def test_a_reordered_text_is_always_found(templates: list[str], data: st.DataObject) -> None:
    moved = data.draw(st.permutations(templates))
    found = differences(with_ids(templates, 1), with_ids(moved, 2))
    assert (found == []) == (moved == templates)


@given(texts)
def test_an_id_that_stands_for_another_is_always_found(templates: list[str]) -> None:
    whole = ["{0} {1} {2}", *templates]
    another = f"test{Ids(3).marker()}"
    a, b = with_ids([*whole, "{0}"], 1), [*with_ids(whole, 2), another]
    assert any("stood for" in how for how in differences(a, b))


@given(st.lists(texts, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_what_ran_beside_each_other_has_no_order(strands: list[list[str]], shuffle: random.Random) -> None:
    a = [[parse(each) for each in with_ids(strand, 10 + number)] for number, strand in enumerate(strands)]
    b = [[parse(each) for each in with_ids(strand, 90 + number)] for number, strand in enumerate(strands)]
    shuffle.shuffle(b)
    assert align_strands("check", a, b, Substitution(), "") == []


@given(st.lists(texts, min_size=1, max_size=5), st.data())
def test_what_is_missing_in_one_of_the_strands_is_always_found(strands: list[list[str]], data: st.DataObject) -> None:
    which = data.draw(st.integers(0, len(strands) - 1))
    gone = data.draw(st.integers(0, len(strands[which]) - 1))
    shorter = [*strands]
    shorter[which] = strands[which][:gone] + strands[which][gone + 1 :]
    a = [[parse(each) for each in strand] for strand in strands]
    b = [[parse(each) for each in strand] for strand in shorter]
    assert align_strands("check", a, b, Substitution(), "") != []


def test_strands_that_share_an_id_are_paired_by_it() -> None:
    first, second = Ids(1), Ids(2)
    mine, theirs = [first.marker() for _ in range(3)], [second.marker() for _ in range(3)]
    pairs = Substitution()
    for a, b in zip(mine, theirs, strict=True):
        pairs.learn(parse(f"user {a}"), parse(f"user {b}"))
    a_strands = [[parse(f"page of {each}")] for each in mine]
    b_strands = [[parse(f"page of {each}")] for each in reversed(theirs)]
    assert align_strands("check", a_strands, b_strands, pairs, "") == []
    b_strands[0] = [parse(f"page of {theirs[0]}")]
    assert align_strands("check", a_strands, b_strands, pairs, "") != []


# ---- Whole runs
def a_scenario(name: str = "cold_start", **changes: object) -> RecordedScenario:
    steps = tuple(RecordedStep(f"{n} step", True, 1, 10.0 * n, 1.0) for n in (1, 2, 3))
    checks = tuple(RecordedCheck(f"check {n}", "ok", f"{n} step", 0) for n in (1, 2, 3))
    whole = RecordedScenario(name, "pass", asserted=3, aws_seconds=60.0, seconds=1.0, steps=steps, checks=checks)
    return replace(whole, **changes)  # type: ignore[arg-type]  # names of fields


def a_run(*scenarios: RecordedScenario, folder: str = "run", has_history: bool = True) -> RecordedRun:
    return RecordedRun(Path(folder), {"mode": "emulated", "id": folder, "scale": 60}, scenarios, has_history)


def said(parity: Parity) -> list[tuple[str, str]]:
    return [(each.what, each.how) for each in parity.all_differences]


def test_the_same_scenarios_at_another_speed_are_the_same() -> None:
    slower = a_scenario(aws_seconds=90.0)
    parity = compare(a_run(a_scenario()), a_run(slower))
    assert parity.holds() and parity.scenarios[0].times.ratio == 1.5


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"verdict": "fail"}, ("verdict", "differs")),
        ({"previews": ("astro",)}, ("previews", "differ")),
        ({"faults": ("kill edit",)}, ("faults", "differ")),
        ({"phases": ("reply",)}, ("phases", "differ")),
        ({"steps": a_scenario().steps[:2]}, ("step", "only in A")),
        (
            {"steps": (a_scenario().steps[1], a_scenario().steps[0], a_scenario().steps[2])},
            ("step", "at another place"),
        ),
        (
            {"steps": (replace(a_scenario().steps[0], held=False), *a_scenario().steps[1:])},
            ("step", "held in one only"),
        ),
        ({"checks": a_scenario().checks[1:]}, ("check", "only in A")),
        ({"checks": (*a_scenario().checks, RecordedCheck("more", "ok", "", 0))}, ("check", "only in B")),
        (
            {"checks": (replace(a_scenario().checks[0], step="2 step"), *a_scenario().checks[1:])},
            ("check", "in another step: check 1"),
        ),
    ],
)
def test_whatever_differs_is_told(change: dict[str, object], found: tuple[str, str]) -> None:
    parity = compare(a_run(a_scenario()), a_run(a_scenario(**change)))
    assert found in said(parity) and not parity.holds()


def by_chance(*checks: str) -> RecordedScenario:
    steps = (RecordedStep("what was accepted is done", True, len(checks), 5.0, 0.1, by_chance=True),)
    made = tuple(RecordedCheck(what, "ok", steps[0].name, number) for number, what in enumerate(checks))
    return a_scenario(steps=steps, checks=made, asserted=len(checks))


def test_how_often_chance_has_something_checked_makes_no_difference_but_what_is_checked_does() -> None:
    twice = by_chance("the page of testbcbcbcbc", "the page of testdfdfdfdf")
    assert compare(a_run(by_chance("the page of testghghghgh")), a_run(twice)).holds()
    assert said(compare(a_run(by_chance("the page of testghghghgh", "a reply")), a_run(twice))) == [
        ("check", "only in A")
    ]
    assert said(compare(a_run(twice), a_run(by_chance("the row of testghghghgh")))) == [
        ("check", "only in A"),
        ("check", "only in B"),
    ]


def test_what_only_a_slower_clock_can_judge_is_told_apart() -> None:
    timed = RecordedCheck("a replacement within 120 AWS s", "ok", "2 step", 0, timed=True)
    parity = compare(a_run(a_scenario(checks=(*a_scenario().checks, timed))), a_run(a_scenario()))
    assert parity.holds() and parity.scenarios[0].timed == ["a replacement within 120 AWS s"]
    assert "judged in one run only, by the speed of its clock:" in list(lines(parity))


def test_a_check_that_failed_in_one_is_told() -> None:
    failed = (replace(a_scenario().checks[0], outcome="fail"), *a_scenario().checks[1:])
    found = compare(a_run(a_scenario()), a_run(a_scenario(checks=failed))).all_differences
    assert {(each.a, each.b) for each in found} == {("check 1", ""), ("", "check 1 (fail)")}


def test_a_scenario_that_is_in_one_only_is_told() -> None:
    assert said(compare(a_run(a_scenario(), a_scenario("more")), a_run(a_scenario()))) == [("scenario", "only in A")]


def test_another_order_of_scenarios_is_told() -> None:
    one, two = a_scenario("one"), a_scenario("two")
    assert said(compare(a_run(one, two), a_run(two, one))) == [("order of scenarios", "differs")]


def test_what_a_cloud_cannot_do_is_told_apart_and_strictly_is_a_difference() -> None:
    skipped = RecordedScenario("routing", "skipped", "this cloud has no fault_pause")
    parity = compare(a_run(a_scenario(), a_scenario("routing")), a_run(a_scenario(), skipped))
    assert parity.holds() and not parity.holds(strict=True)
    assert parity.scenarios[1].lacking == "B has no fault_pause"
    assert "not compared, for want of a capability:" in list(lines(parity))


def test_a_scenario_skipped_for_another_reason_is_a_difference() -> None:
    skipped = RecordedScenario("routing", "skipped", "the budget is spent: the rest is not tried")
    assert not compare(a_run(a_scenario("routing")), a_run(skipped)).holds()


def test_nothing_compared_is_not_the_same() -> None:
    assert not compare(a_run(), a_run()).holds()


def test_without_a_history_it_is_said_that_checks_are_not_compared() -> None:
    assert not compare(a_run(a_scenario()), a_run(a_scenario(), has_history=False)).holds()


def test_the_page_has_every_step_side_by_side() -> None:
    page = markdown(compare(a_run(a_scenario()), a_run(a_scenario())))
    assert "| 2 step | 20.0 | 20.0 | 1.00 |" in page and "the same but for times and ids" in page


# ---- From disk
async def a_run_on_disk(folder: Path, seed: int, *, also: str = "") -> Path:
    ids, folder = Ids(seed), folder / "runs" / f"run-{seed}"
    history = History(Clock(), folder / "history.jsonl")
    what = [f"the page of test{ids.marker()} to be served", "1 task", *filter(None, [also])]
    with history.scenario("cold_start"), history.step("1 a page"):
        for each in what:
            with history.operation("check", what=each):
                pass
    history.close()
    step = {"name": "1 a page", "held": True, "asserted": len(what), "aws_seconds": 5.0, "seconds": 0.1}
    scenario = {"name": "cold_start", "verdict": "pass", "asserted": len(what), "aws_seconds": 5.0, "steps": [step]}
    report = {"run": {"id": folder.name, "mode": "emulated"}, "scenarios": [scenario]}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder


async def test_runs_are_read_by_their_folder_their_report_or_their_history(tmp_path: Path) -> None:
    one = await a_run_on_disk(tmp_path, 1)
    for path in (one, one / "report.json", one / "history.jsonl"):
        seen = read_run(path).scenarios[0]
        assert [check.what for check in seen.checks][1] == "1 task"
        assert {(check.step, check.strand, check.outcome) for check in seen.checks} == {("1 a page", 0, "ok")}


async def test_the_command_ends_with_1_when_something_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = await a_run_on_disk(tmp_path, 1), await a_run_on_disk(tmp_path, 2)
    three = await a_run_on_disk(tmp_path, 3, also="something more")
    assert main(["parity", str(one), str(two)]) == 0
    assert "the same but for times and ids: 1 scenarios, 1 steps, 2 checks" in capsys.readouterr().out
    assert main(["parity", str(one), str(three), "--json", "--page", str(tmp_path / "page.md")]) == 1
    assert json.loads(capsys.readouterr().out)["scenarios"][0]["differences"]
    assert "something more" in (tmp_path / "page.md").read_text(encoding="utf-8")


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no run at"):
        read_run(tmp_path)
