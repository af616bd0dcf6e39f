"""The account of real runs on the emulated cloud: metered as worked out by hand, and ended by their budget."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import some_settings
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.cost import usage
from webordinary_testkit.kit.cost.tracker import BudgetExceeded
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.runner import report as reports
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import Scenario


async def start_a_task(h: Harness, run: Run) -> None:
    """One edit task, that scaling leaves alone."""
    assert run.cloud is not None
    stack = run.cloud.stack
    await run.cloud.aws.call(
        "application-autoscaling",
        "register_scalable_target",
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId=f"service/{stack.cluster_name}/{stack.edit_service_name}",
        SuspendedState={"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": True},
    )
    await run.cloud.aws.call(
        "ecs", "update_service", cluster=stack.cluster_name, service=stack.edit_service_name, desiredCount=1
    )
    await h.services.wait_for_stable("edit", within=600)
    h.check(True, "a task to be there")


async def ran(run: Run, *scenarios: Scenario) -> dict[str, Any]:
    """Run them on a cloud of their own; returns the report."""
    await run.start()
    try:
        await run.execute_all(scenarios)
    finally:
        await run.stop()
    return dict(reports.read(run.folder))


def a_run(folder: Path, **cost: Any) -> Run:
    return Run(some_settings(report_dir=folder, cost={"price_file": folder / "none.toml", **cost}))


async def test_a_run_is_charged_for_its_tasks_by_hand_and_shows_it_in_the_report(tmp_path: Path) -> None:
    run = a_run(tmp_path, publish="always")
    seen: list[dict[str, Any]] = []

    async def edit_runs(h: Harness) -> None:
        with h.step("a task runs for two minutes"):
            await start_a_task(h, run)
            await h.clock.sleep(120)
        with h.step("it is taken away"):
            await h.services.force_scale_down("edit", 0, within=600)
            seen.extend(await h.services.tasks("edit", stopped=True))

    report = await ran(run, Scenario("edit_runs", "a task runs", (), edit_runs))
    cost = report["cost"]
    assert report["verdict"] == "pass", report["scenarios"]

    (task,) = seen
    seconds = max(60, math.ceil(round((task["stoppedAt"] - task["pullStartedAt"]).total_seconds(), 3)))
    by_hand = seconds / 3600 * (0.25 * 0.04048 + 0.5 * 0.004445 + 0.005)
    lines = [one for one in cost["lines"] if one["what"] == "webordinary-it-edit-service"]
    assert sum(one["usd"] for one in lines) == pytest.approx(by_hand, rel=1e-5)

    stack = next(event for event in run.history.events() if event.name == usage.STACK and event.type == "ok")
    hours = math.ceil((run.history.events()[-1].aws - stack.value["since"]) / 3600)
    charged = {one["price"]: one["quantity"] for one in cost["lines"]}
    assert charged["load_balancer_hour"] == hours

    assert sum(one["usd"] for one in cost["lines"]) == pytest.approx(cost["usd"], rel=1e-5)
    assert cost["marginal_usd"] + cost["fixed_usd"] == pytest.approx(cost["usd"], rel=1e-5)
    shares = cost["scenarios"]
    assert sum(share["usd"] for share in shares.values()) == pytest.approx(cost["marginal_usd"], rel=1e-5)
    assert "predicted" in shares["edit_runs"]
    published = [event for event in run.history.events() if event.name == "cloudwatch.put_metric_data"]
    assert [event.type for event in published] == ["invoke", "ok"]


async def test_a_spent_budget_lets_no_step_begin_and_no_other_scenario(tmp_path: Path) -> None:
    async def never(h: Harness) -> None:
        with h.step("never reached"):
            h.check(False, "this step to begin")

    # The load balancer's begun hour is 0.0225 dollars: such a budget is spent when the stack stands.
    run = a_run(tmp_path, budget=0.0001)
    report = await ran(run, Scenario("first", "x", (), never), Scenario("second", "x", (), never))

    ended, not_tried = report["scenarios"]
    assert ended["verdict"] == "unknown"
    assert "may cost $0.0001: it is ended and cleaned up" in ended["error"]["message"]
    assert ended["steps"] == []
    assert not_tried["verdict"] == "skipped"
    assert "the rest is not tried" in not_tried["error"]["message"]
    assert report["cost"]["budget_spent"]
    assert run.report.verdict is Verdict.UNKNOWN
    with pytest.raises(BudgetExceeded):
        run.account.check()


async def test_a_budget_spent_in_the_middle_of_a_step_ends_that_step_and_its_task_is_taken_away(tmp_path: Path) -> None:
    run = a_run(tmp_path, budget=1)

    async def long(h: Harness) -> None:
        with h.step("a task is started"):
            await start_a_task(h, run)
        # Task, load balancer's addresses and alarms are 0.04 dollars an hour: four minutes, and it is spent.
        run.account.budget = run.account.bill(now=h.clock.now()).usd + 0.003
        with h.step("it runs on"):
            await h.clock.sleep(1500)
        with h.step("never reached"):
            h.check(False, "this step to begin")

    report = await ran(run, Scenario("long", "it runs on", (), long))
    (ended,) = report["scenarios"]
    assert [step["name"] for step in ended["steps"]] == ["a task is started", "it runs on"], ended
    assert ended["verdict"] == "unknown"
    assert "it is ended and cleaned up" in ended["error"]["message"]
    assert ended["steps"][1]["aws_seconds"] < 1400
    assert any("task" in what for what in ended["cleaned"])
    assert report["cost"]["budget_spent"]
