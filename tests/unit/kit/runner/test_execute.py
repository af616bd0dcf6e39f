"""Running a scenario: its verdict, its cleanup, its report."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import START, ManualClock, ScriptedAws, a_cloud, a_run
from webordinary_testkit.kit.backends.capability import ECS_EXEC, Level
from webordinary_testkit.kit.core.checkers import Finding
from webordinary_testkit.kit.core.errors import InfraError, UsageError
from webordinary_testkit.kit.core.history import Event
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.harness.steps import Step
from webordinary_testkit.kit.runner import report as reports
from webordinary_testkit.kit.runner.console import Console
from webordinary_testkit.kit.runner.execute import execute
from webordinary_testkit.kit.runner.outcome import Outcome
from webordinary_testkit.kit.runner.report import Report, latest_folder, run_folder
from webordinary_testkit.kit.scenarios.registry import Body, Scenario


def quiet_aws(tasks: list[dict[str, Any]] | None = None) -> ScriptedAws:
    """An AWS where nothing is left, or where these tasks are until they are scaled away."""
    left = list(tasks or [])

    def update(**_: Any) -> dict[str, Any]:
        left.clear()
        return {}

    counts = {"desiredCount": 0, "runningCount": 0, "pendingCount": 0}
    attributes = {"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0"}
    return ScriptedAws(
        {
            ("ecs", "list_tasks"): lambda desiredStatus, **_: [
                t["taskArn"] for t in left if desiredStatus == "RUNNING"
            ],
            ("ecs", "describe_tasks"): lambda **_: {"tasks": left},
            ("ecs", "describe_services"): lambda services, **_: {"services": [{"serviceName": services[0], **counts}]},
            ("ecs", "update_service"): update,
            ("elbv2", "describe_target_health"): lambda **_: {"TargetHealthDescriptions": []},
            ("sqs", "get_queue_attributes"): lambda **_: {"Attributes": attributes},
            ("application-autoscaling", "register_scalable_target"): lambda **_: {},
        }
    )


async def run(
    body: Body,
    *,
    aws: ScriptedAws | None = None,
    broken: str | None = None,
    faults: list[str] | None = None,
    **how: Any,
) -> Outcome:
    cloud = a_cloud(aws or quiet_aws(), ManualClock(scale=60))
    return await execute(
        Scenario("x", "y", how.pop("needs", ()), body, **how), a_run(cloud, broken=broken, faults=faults)
    )


async def holds(h: Harness) -> None:
    with h.step("1 look"):
        h.check(True, "the sky to be blue")


async def test_a_scenario_whose_checks_hold_passes_with_its_steps_and_counts() -> None:
    outcome = await run(holds)
    assert (outcome.verdict, outcome.asserted, outcome.message) == (Verdict.PASS, 1, "")
    assert [(step.name, step.held, step.asserted) for step in outcome.steps] == [("1 look", True, 1)]


async def test_a_scenario_that_asserted_nothing_has_not_passed() -> None:
    async def nothing(h: Harness) -> None:
        return None

    outcome = await run(nothing)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "asserted nothing" in outcome.message


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (AssertionError("no"), Verdict.FAIL),
        (InfraError("no credentials"), Verdict.INFRA),
        (KeyError("typo"), Verdict.UNKNOWN),
    ],
)
async def test_an_exception_is_judged_by_whose_fault_it_is(error: Exception, verdict: Verdict) -> None:
    async def breaks(h: Harness) -> None:
        with h.step("1 try"):
            h.check(True, "a start")
            raise error

    outcome = await run(breaks)
    assert outcome.verdict is verdict
    assert str(error).strip("'") in outcome.message
    assert outcome.steps[0].held is False


async def test_the_failures_of_concurrent_tasks_are_judged_together_by_the_gravest() -> None:
    async def fails(error: Exception) -> None:
        raise error

    async def breaks(h: Harness) -> None:
        h.check(True, "a start")
        async with asyncio.TaskGroup() as group:
            group.create_task(fails(InfraError("no credentials")))
            group.create_task(fails(AssertionError("wrong page")))

    outcome = await run(breaks)
    assert outcome.verdict is Verdict.FAIL
    assert outcome.message.startswith("no credentials\nwrong page")


async def test_a_broken_cloud_says_nothing_about_the_system() -> None:
    async def fails(h: Harness) -> None:
        h.check(False, "anything to work")

    outcome = await run(fails, broken="the emulated cloud ended by itself")
    assert outcome.verdict is Verdict.INFRA
    assert "ended by itself" in outcome.message


async def test_a_failure_on_unsound_ground_is_laid_to_the_ground() -> None:
    async def fails(h: Harness) -> None:
        h.check(False, "anything to work")

    outcome = await run(fails, faults=["AttributeError: no grace"])
    assert outcome.verdict is Verdict.INFRA
    assert "AttributeError: no grace" in outcome.message
    assert "anything to work" in outcome.message


async def test_a_pass_stays_one_despite_internal_errors_which_report_and_console_show() -> None:
    outcome = await run(holds, faults=["AttributeError: no grace", "KeyError: 1"])
    assert (outcome.verdict, outcome.message) == (Verdict.PASS, "")
    assert outcome.to_json()["cloud_faults"] == ["AttributeError: no grace", "KeyError: 1"]
    Console(shown := io.StringIO()).scenario_ended(outcome)
    assert "the cloud itself had 2 fault(s), the first: AttributeError: no grace" in shown.getvalue()
    assert "cloud_faults" not in (await run(holds)).to_json()


async def test_leftovers_are_removed_and_reported() -> None:
    left = [{"taskArn": "arn:task/abc", "lastStatus": "RUNNING", "desiredStatus": "RUNNING", "group": "service:edit"}]
    aws = quiet_aws(left)
    outcome = await run(holds, aws=aws)
    assert outcome.cleaned == ["task abc of service:edit is RUNNING"]
    assert [call["desiredCount"] for call in aws.called("update_service")] == [0, 0]
    assert outcome.verdict is Verdict.PASS


async def test_a_clean_end_moves_nothing() -> None:
    aws = quiet_aws()
    await run(holds, aws=aws)
    assert aws.called("update_service") == []


async def test_cleaning_up_that_fails_makes_the_ground_unsafe() -> None:
    aws = quiet_aws()
    aws.answers = {key: value for key, value in aws.answers.items() if key[0] != "sqs"}
    outcome = await run(holds, aws=aws)
    assert outcome.verdict is not Verdict.PASS
    assert "cleaning up failed" in outcome.message


async def test_a_deadline_ends_a_scenario_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(h: Harness) -> None:
        h.check(True, "a start")
        await asyncio.Event().wait()

    monkeypatch.setattr("webordinary_testkit.kit.core.clock.Clock.patience", lambda clock, seconds: 0.05)
    outcome = await run(hangs)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "did not end within 1800 AWS s" in outcome.message


async def test_what_the_cloud_cannot_do_is_skipped_with_the_reason() -> None:
    cloud = a_cloud(quiet_aws(), capabilities={ECS_EXEC: Level.ABSENT})
    outcome = await execute(Scenario("x", "y", (ECS_EXEC,), holds), a_run(cloud))
    assert (outcome.verdict, outcome.message) == (None, "this cloud has no ecs_exec")


async def test_a_checkers_finding_counts_and_its_crash_is_unknown() -> None:
    def finds(events: Sequence[Event]) -> Finding:
        return Finding(Verdict.FAIL, "two replies")

    def crashes(events: Sequence[Event]) -> Finding:
        raise KeyError("x")

    assert (await run(holds, checkers=(finds,))).verdict is Verdict.FAIL
    assert (await run(holds, checkers=(crashes,))).verdict is Verdict.UNKNOWN


def a_report(tmp_path: Path) -> Report:
    return Report(run_folder(tmp_path / ".kit", "r1"), "r1", {"mode": "emulated"}, START)


async def test_the_report_says_what_was_asserted_and_how_long_it_took(tmp_path: Path) -> None:
    report = a_report(tmp_path)
    report.outcomes = [await run(holds), Outcome("z", None, message="this cloud has no mail_in")]
    report.write(START + 2)
    written = reports.read(latest_folder(tmp_path / ".kit"))
    assert written["verdict"] == "pass"
    assert written["counts"]["executed"] == written["counts"]["skipped"] == written["counts"]["asserted"] == 1
    first, second = written["scenarios"]
    assert {"name", "verdict", "asserted", "seconds", "aws_seconds", "phases", "steps"} <= first.keys()
    assert second["verdict"] == "skipped"
    assert written["run"]["seconds"] == 2


def test_a_run_in_which_everything_was_skipped_has_shown_nothing(tmp_path: Path) -> None:
    report = a_report(tmp_path)
    report.outcomes = [Outcome("z", None)]
    assert report.verdict is Verdict.UNKNOWN


def test_latest_follows_the_newest_run_and_is_text_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / ".kit"
    first, second = run_folder(home, "r1"), run_folder(home, "r2")
    reports.point_latest(first)
    reports.point_latest(second)
    assert latest_folder(home) == second.resolve()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    reports.point_latest(first)
    assert latest_folder(home) == first


def test_without_a_run_the_report_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="kit run"):
        latest_folder(tmp_path)


def test_runs_keep_themselves_out_of_git(tmp_path: Path) -> None:
    a_report(tmp_path)
    assert (tmp_path / ".kit" / ".gitignore").read_text() == "*\n"


def test_a_report_is_json_all_through(tmp_path: Path) -> None:
    step = Step("1", START)
    text = json.dumps(Outcome("x", Verdict.FAIL, steps=[step], message="no", evidence=("h",)).to_json())
    assert json.loads(text)["error"] == {"message": "no", "evidence": ["h"]}
