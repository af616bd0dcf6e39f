"""What is known before a run: the template's inventory, the prediction, the plan; and what is published after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import some_settings
from webordinary_testkit.kit.aws.deploy import template_text
from webordinary_testkit.kit.aws.template import Template
from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.cost.fixed_resources import FixedResources
from webordinary_testkit.kit.cost.prediction import (
    DECLARED_WITHIN,
    MEASURED_WITHIN,
    UNASSIGNED,
    EarlierRun,
    Predictor,
    earlier_runs,
)
from webordinary_testkit.kit.cost.prices import shipped_prices
from webordinary_testkit.kit.cost.publishing import metric_data
from webordinary_testkit.kit.cost.summary import cost_line
from webordinary_testkit.kit.runner.plan import actions_of, plan_run
from webordinary_testkit.kit.scenarios.registry import all_scenarios, select


def own_template(**parameters: str) -> Template:
    return Template.read(template_text(None), parameters)


def a_predictor(past: dict[str, list[EarlierRun]] | None = None) -> Predictor:
    return Predictor(shipped_prices(), own_template(), past or {})


# ---- The template


def test_the_fixed_cost_of_the_kits_template_is_one_load_balancer_and_no_nat_gateway() -> None:
    found = FixedResources.of(own_template())
    assert (found.load_balancers, found.load_balancer_addresses, found.nat_gateways) == (1, 2, 0)
    assert (found.alarm_metrics, found.fast_alarm_metrics, found.dashboards) == (6, 4, 2)
    assert FixedResources.read(found.to_json()) == found


def test_without_test_monitoring_its_dashboard_and_alarms_are_not_there() -> None:
    found = FixedResources.of(own_template(TestMonitoring="false"))
    assert (found.alarm_metrics, found.fast_alarm_metrics, found.dashboards) == (3, 4, 1)


def test_parameters_and_conditions_decide_names_and_resources() -> None:
    template = own_template(ResourcePrefix="mine", MailDomain="")
    names = [template.name(resource) for resource in template.resources]
    assert "mine-alb" in names
    assert "mine-inbound" in names
    assert template.of_type("AWS::SES::ReceiptRule") == []


@pytest.mark.parametrize("text", ["Resources: [", "just text", "Resources: 3", ""])
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the template"):
        Template.read(text)


# ---- The prediction


def test_without_earlier_runs_the_declared_loads_tell_with_a_wide_interval() -> None:
    found = a_predictor().scenario("email_to_preview")
    assert found.basis == "declared"
    assert found.within == DECLARED_WITHIN
    # 485 task seconds are 0.0023 dollars with their addresses, four mails another 0.001.
    assert found.usd == pytest.approx(0.0045, rel=0.25)


def test_every_scenario_of_the_kit_has_a_declared_load() -> None:
    found = a_predictor()
    assert [one.name for one in all_scenarios() if found.scenario(one.name).basis != "declared"] == []


def test_an_undeclared_load_is_called_a_guess() -> None:
    assert "guessed" in a_predictor().scenario("mine").basis


def test_earlier_runs_that_agree_give_the_seeds_ten_percent() -> None:
    past = [EarlierRun(300 + n, {"fargate_vcpu_hour": 0.05}) for n in range(3)]
    found = a_predictor({"cold_start": past}).scenario("cold_start")
    assert found.usd == pytest.approx(0.05 * 0.04048)
    assert (found.seconds, found.within, found.basis) == (301, MEASURED_WITHIN, "3 earlier run(s)")


def test_earlier_runs_that_differ_widen_the_interval() -> None:
    past = [EarlierRun(300, {"fargate_vcpu_hour": hours}) for hours in (0.02, 0.05, 0.08)]
    assert a_predictor({"cold_start": past}).scenario("cold_start").within > 0.5


def test_a_run_of_more_scenarios_takes_longer_and_costs_more() -> None:
    found = [a_predictor().run(["cold_start", "routing"][:n], new=True, overhead=300, published=True) for n in range(3)]
    assert found[0].usd < found[1].usd < found[2].usd
    assert found[0].seconds < found[1].seconds < found[2].seconds


def test_only_runs_of_the_same_kind_and_scenarios_that_passed_tell(tmp_path: Path) -> None:
    share = {"usd": 1, "aws_seconds": 100, "use": {"sqs_request": 5}}

    def a_run(name: str, scale: float, verdict: str) -> None:
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        report = {
            "run": {"mode": "emulated", "scale": scale},
            "scenarios": [{"name": "x", "verdict": verdict}],
            "cost": {"scenarios": {"x": share, UNASSIGNED: share}},
        }
        (folder / "report.json").write_text(json.dumps(report))

    a_run("1", 60, "pass")
    a_run("2", 60, "fail")
    a_run("3", 1, "pass")
    (tmp_path / "runs" / "4").mkdir()
    (tmp_path / "runs" / "4" / "report.json").write_text("{")
    found = earlier_runs(tmp_path, {"mode": "emulated", "scale": 60})
    assert found == {"x": [EarlierRun(100, {"sqs_request": 5})], UNASSIGNED: [EarlierRun(100, {"sqs_request": 5})] * 2}


# ---- The plan


def test_a_live_plan_without_a_mail_domain_shows_what_would_be_skipped_and_why(tmp_path: Path) -> None:
    made = plan_run(some_settings(mode="live", report_dir=tmp_path), select(["email_to_preview", "contract"]))
    skipped, executed = made.scenarios
    assert "mail_in" in skipped.skipped
    assert (executed.skipped, executed.modelled) == ("", ())
    assert "AWS::SES::ReceiptRule" not in made.resources
    assert made.resources["AWS::ElasticLoadBalancingV2::LoadBalancer"] == ["webordinary-it-alb"]
    assert made.budget == 5
    assert 20 < made.standing_month < 40, (
        "the seed's load balancer of 16 dollars, two addresses of 7, alarms, dashboards"
    )


def test_an_emulated_plan_runs_everything_and_says_what_is_acted_out(tmp_path: Path) -> None:
    made = plan_run(some_settings(report_dir=tmp_path), all_scenarios())
    assert [one.name for one in made.scenarios if one.skipped] == []
    assert all(one.modelled for one in made.scenarios)
    assert made.budget is None
    assert made.targets == "judged"
    scaled = plan_run(some_settings(report_dir=tmp_path, emulated={"scale": 60}), all_scenarios())
    assert "60 × AWS time" in scaled.targets


def test_a_stack_that_is_reused_is_not_created(tmp_path: Path) -> None:
    made = plan_run(some_settings(mode="live", live={"reuse": True}, report_dir=tmp_path), [])
    assert made.resources == {}
    assert made.policy is not None
    assert "ecs" in actions_of(made.policy)


def test_the_actions_of_a_policy_are_listed_by_service() -> None:
    policy = {"Statement": [{"Action": ["ecs:StopTask", "sqs:SendMessage"]}, {"Action": "ecs:DescribeTasks"}]}
    assert actions_of(policy) == {"ecs": ["DescribeTasks", "StopTask"], "sqs": ["SendMessage"]}


@pytest.mark.parametrize("mode", ["live", "emulated"])
def test_kit_plan_makes_no_client_and_needs_no_credentials(mode: str, tmp_path: Path) -> None:
    script = (
        f"import sys; from webordinary_testkit.kit.cli import main; code = main(['plan', '--mode', '{mode}'])\n"
        "print([name for name in ('boto3', 'socket') if name == 'boto3' and name in sys.modules], code)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    found = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**environment, "AWS_PROFILE": "there-is-none"},
    ).stdout
    assert found.splitlines()[-1] == "[] 0"
    assert "AWS::ECS::Service" in found
    assert list(tmp_path.iterdir()) == []


def test_kit_plan_tells_programs_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["plan", "contract", "--json", "--set", f"report_dir={tmp_path}"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["predicted"]["usd_low"] < found["predicted"]["usd"] < found["predicted"]["usd_high"]
    assert found["scenarios"][0]["name"] == "contract"


# ---- What is published


def a_report(**changes: Any) -> dict[str, Any]:
    def phase(name: str, entry: str, at: float) -> dict[str, Any]:
        return {"name": name, "entry": entry, "aws_seconds": at}

    phases = [
        phase("session row", "http", 40.0),
        phase("task pending", "http", 50.0),
        phase("first byte", "http", 75.0),
        phase("mail accepted", "mail", 3.0),
        phase("session row", "mail", 60.0),
    ]
    scenarios = [
        {"name": "cold_start", "verdict": "pass", "aws_seconds": 400.0, "phases": phases},
        {"name": "recovery", "verdict": "fail", "aws_seconds": 100.0, "phases": []},
        {"name": "routing", "verdict": "skipped", "aws_seconds": 0.0, "phases": []},
    ]
    cost = {"usd": 0.05, "scenarios": {"cold_start": {"usd": 0.01}}}
    return {"scenarios": scenarios, "cost": cost, **changes}


def test_the_seeds_metrics_are_published_by_test_name_and_for_the_run() -> None:
    found = {
        (one["Dimensions"][0]["Value"], one["MetricName"]): (one["Values"], one["Unit"])
        for one in metric_data(a_report())
    }
    assert found["cold_start", "TestDuration"] == ([400.0], "Seconds")
    assert found["cold_start", "TestSuccess"] == ([1.0], "Count")
    assert found["cold_start", "ContainerStartupTime"] == ([25.0], "Seconds")
    assert found["cold_start", "SessionCreationTime"] == ([40.0, 57.0], "Seconds")
    assert found["cold_start", "TestCost"] == ([0.01], "None")
    assert found["recovery", "TestSuccess"] == ([0.0], "Count")
    assert found["all", "TestSuccess"] == ([1.0, 0.0], "Count"), "their average is the success rate"
    assert found["all", "TestCost"] == ([0.05], "None")
    assert not [test for test, _ in found if test == "routing"], "a skipped scenario is not published"


def test_a_cost_is_one_line() -> None:
    cost = {"spent": False, "usd": 0.03, "marginal_usd": 0.01, "fixed_usd": 0.02, "prediction_error": -0.08}
    found = cost_line({**cost, "predicted": {"usd": 0.0326}})
    assert (
        found
        == "would cost live $0.0300: $0.0100 for usage, $0.0200 for resources that only exist; predicted $0.0326 (-8%)"
    )
    assert cost_line({}) == ""
