"""The meter: for runs of three shapes its bill is the one worked out by hand here; and what must always hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kit import START, ManualClock
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.cost import usage
from webordinary_testkit.kit.cost.bill import Bill, Item
from webordinary_testkit.kit.cost.fixed_resources import FixedResources
from webordinary_testkit.kit.cost.meter import CostRecords, meter, task_items
from webordinary_testkit.kit.cost.prices import shipped_prices
from webordinary_testkit.kit.cost.series import MeteredResources, Series, series_of
from webordinary_testkit.kit.cost.usage import TaskUsage, record_count

PRICES = shipped_prices()
HOUR = START - START % 3600 + 3600
"""A full hour, so that minutes and hours can be counted on one's fingers."""

VCPU, MEMORY, ADDRESS = 0.04048, 0.004445, 0.005
"""Dollars an hour, as aws.amazon.com/fargate/pricing and /vpc/pricing have them."""


def a_history() -> History:
    return History(ManualClock())


def a_task(name: str, began: float, seconds: float | None, **how: object) -> TaskUsage:
    size = {"vcpu": 0.25, "memory_gb": 0.5, **how}
    return TaskUsage(arn=f"arn:{name}", service="edit", began=began, ended=seconds and began + seconds, **size)  # type: ignore[arg-type]


def record_scenario(history: History, name: str, began: float, ended: float) -> None:
    history.note(usage.SCENARIO, value={"began": began, "ended": ended}, of=name)


def record_points(history: History, series: Series, points: list[tuple[float, float]]) -> None:
    value = {"what": series.what, "charges": dict(series.charges), "points": points}
    history.note(usage.POINTS, value=value, series=series.key)


def record_stack(history: History, inventory: FixedResources, since: float, *, new: bool = True) -> None:
    history.note(usage.STACK, value={"inventory": inventory.to_json(), "since": since, "new": new})


def billed(history: History, now: float) -> Bill:
    return Bill(meter(history.events(), now=now), PRICES)


def series(key: str) -> Series:
    watched = MeteredResources(
        load_balancer="app/it/1",
        tables={"sessions": ("StatusIndex",)},
        queues=("inbound",),
        topics=("inbound",),
        log_groups=("/ecs/edit",),
        file_systems=("fs-1",),
        custom=(("Webordinary/IntegrationTests", "ActiveSessionCount", "it"),),
    )
    return next(one for one in series_of(watched) if one.key == key)


# ---- Shape 1: one container that dies at once, on a stack that stands anyway


def test_a_task_of_twenty_seconds_costs_a_minute() -> None:
    history = a_history()
    a_task("one", HOUR, 20).record(history)
    record_scenario(history, "crash", HOUR - 5, HOUR + 100)

    told = billed(history, HOUR + 100)

    by_hand = 60 / 3600 * (0.25 * VCPU + 0.5 * MEMORY + ADDRESS)  # 0.000289 dollars
    assert told.usd == pytest.approx(by_hand)
    assert told.usd == pytest.approx(0.000289, abs=1e-6)
    assert told.by_scenario() == {"crash": pytest.approx(by_hand)}
    assert told.fixed == 0


# ---- Shape 2: the main job: Hermes and edit, mail, requests, on a stack of its own


def test_a_mail_that_becomes_a_page_costs_what_is_worked_out_by_hand() -> None:
    history = a_history()
    inventory = FixedResources(
        load_balancers=1, load_balancer_addresses=2, alarm_metrics=5, fast_alarm_metrics=4, dashboards=2
    )
    record_stack(history, inventory, HOUR)
    a_task("hermes", HOUR + 120, 300).record(history)
    a_task("edit", HOUR + 150, 240.4).record(history)
    record_points(history, series("dynamodb.write.sessions"), [(HOUR + 120, 20), (HOUR + 180, 4)])
    record_points(history, series("dynamodb.write.sessions/StatusIndex"), [(HOUR + 120, 10)])
    record_points(history, series("dynamodb.read.sessions"), [(HOUR + 120, 30.5)])
    record_points(history, series("sqs.NumberOfMessagesSent.inbound"), [(HOUR + 60, 2)])
    record_points(history, series("sqs.NumberOfEmptyReceives.inbound"), [(HOUR + 120, 14)])
    record_points(history, series("mail.inbound"), [(HOUR + 60, 2)])
    record_points(history, series("logs./ecs/edit"), [(HOUR + 180, 50_000)])
    record_points(history, series("custom.ActiveSessionCount"), [(HOUR + 120, 6), (HOUR + 180, 6)])
    record_scenario(history, "email_to_preview", HOUR + 60, HOUR + 480)

    told = billed(history, HOUR + 600)

    hours = 600 / 3600
    fixed = (
        1 * 0.0225  # the load balancer's begun hour
        + 2 * hours * ADDRESS
        + hours / 730 * (5 * 0.10 + 4 * 0.30 + 2 * 3.00)  # alarms and dashboards
    )
    seconds = 300 + 241  # a begun second is a whole one
    marginal = (
        seconds / 3600 * (0.25 * VCPU + 0.5 * MEMORY + ADDRESS)
        + (20 + 4 + 10) * 0.625e-6
        + 30.5 * 0.125e-6
        + (2 + 14) * 0.40e-6
        + 2 * (0.10e-3 + 0.16e-3 + 0.50e-6)  # received, sent, published
        + 50_000e-9 * 0.50
        + 1 / 730 * 0.30  # one metric for one hour
        + 12 * 0.01e-3  # the requests that published it
    )
    assert told.fixed == pytest.approx(fixed)
    assert told.marginal == pytest.approx(marginal)
    assert told.by_scenario() == {"email_to_preview": pytest.approx(marginal)}


# ---- Shape 3: several scenarios under load, with faults by FIS, large tasks, and traffic


def test_a_run_under_load_with_faults_costs_what_is_worked_out_by_hand() -> None:
    history = a_history()
    record_stack(history, FixedResources(load_balancers=1, nat_gateways=1), HOUR, new=False)
    history.note(usage.STORED, value={"what": "workspace", "price": "efs_storage_gb_month", "bytes": 2**30}, what="w")
    for number in range(3):
        a_task(f"edit{number}", HOUR + 10, 600, vcpu=1.0, memory_gb=2.0, extra_storage_gb=10.0).record(history)
    a_task("arm", HOUR + 3700, 90, arm=True, public=False).record(history)
    record_points(history, series("balancer.new_connections"), [(HOUR, 3000), (HOUR + 60, 60)])
    record_points(history, series("balancer.active_connections"), [(HOUR, 600), (HOUR + 60, 9000)])
    record_points(history, series("balancer.processed_bytes"), [(HOUR, 5e6), (HOUR + 60, 5e6)])
    record_points(history, series("efs.DataWriteIOBytes.fs-1"), [(HOUR, 2e9)])
    with history.scenario("recovery"):
        record_count(history, "fault_action_minute", 2, "stop-task")
    record_count(history, "metrics_read", 500, "the meter")
    record_scenario(history, "concurrency", HOUR, HOUR + 3600)
    record_scenario(history, "recovery", HOUR + 3600, HOUR + 7200)

    told = billed(history, HOUR + 7200)

    concurrency = (
        3 * 600 / 3600 * (1 * VCPU + 2 * MEMORY + 10 * 0.000111 + ADDRESS)
        + (3000 / 60 / 25 + 9000 / 3000) / 60 * 0.008  # 2 units for a minute, then 3
        + 10e6 / 1e9 * 0.09
        + 2 * 0.06
    )
    recovery = 90 / 3600 * (0.25 * 0.03238 + 0.5 * 0.00356) + 2 * 0.10
    between = 500 * 0.01e-3
    fixed = 2 * 0.0225 + 2 * 0.045 + 2 / 730 * 0.30
    assert told.by_scenario() == {
        "concurrency": pytest.approx(concurrency),
        "recovery": pytest.approx(recovery),
        "": pytest.approx(between),
    }
    assert told.fixed == pytest.approx(fixed)
    assert told.usd == pytest.approx(concurrency + recovery + between + fixed)


# ---- Rules


def test_a_task_that_runs_is_charged_up_to_now() -> None:
    assert task_items(a_task("x", HOUR, None), HOUR + 120)[0].quantity == pytest.approx(0.25 * 120 / 3600)


def test_a_later_word_on_a_task_replaces_the_earlier_one() -> None:
    history = a_history()
    a_task("x", HOUR, None).record(history)
    a_task("x", HOUR, 90).record(history)
    assert billed(history, HOUR + 900).marginal == pytest.approx(90 / 3600 * (0.25 * VCPU + 0.5 * MEMORY + ADDRESS))


def test_a_minute_told_again_counts_once() -> None:
    history = a_history()
    for number in (3, 5):
        record_points(history, series("dynamodb.write.sessions"), [(HOUR, number)])
    assert billed(history, HOUR).usd == pytest.approx(5 * 0.625e-6)


def test_a_minute_is_shared_by_the_time_scenarios_had_of_it() -> None:
    history = a_history()
    record_points(history, series("dynamodb.write.sessions"), [(HOUR, 60)])
    record_scenario(history, "first", HOUR - 100, HOUR + 15)
    record_scenario(history, "second", HOUR + 30, HOUR + 100)
    each = 0.625e-6
    assert billed(history, HOUR + 100).by_scenario() == {
        "first": pytest.approx(15 * each),
        "second": pytest.approx(30 * each),
        "": pytest.approx(15 * each),
    }


def test_a_begun_hour_of_the_load_balancer_counts_whole_for_a_new_stack_and_in_part_for_one_that_stands() -> None:
    inventory = FixedResources(load_balancers=1)
    quantities = [inventory.items(3601, new=new)[0].quantity for new in (True, False)]
    assert quantities == [2, pytest.approx(3601 / 3600)]


def test_a_run_is_metered_again_from_its_file(tmp_path: object) -> None:
    from pathlib import Path

    from webordinary_testkit.kit.core.history import read

    path = Path(str(tmp_path)) / "history.jsonl"
    history = History(ManualClock(), path)
    a_task("x", HOUR, 90).record(history)
    record_points(history, series("mail.inbound"), [(HOUR, 2)])
    history.close()
    assert meter(read(path), now=HOUR + 100) == meter(history.events(), now=HOUR + 100)


# ---- What always holds

TASKS = st.builds(
    lambda began, seconds, vcpu: a_task("x", HOUR + began, seconds, vcpu=vcpu),
    st.floats(0, 10_000),
    st.none() | st.floats(0.1, 10_000),
    st.sampled_from([0.25, 0.5, 1.0]),
)


@given(TASKS)
def test_no_task_costs_less_than_its_minute(task: TaskUsage) -> None:
    told = Bill(task_items(task, task.began + 1), PRICES)
    assert told.usd >= 60 / 3600 * (task.vcpu * VCPU + task.memory_gb * MEMORY) - 1e-12


@given(TASKS, st.floats(0, 10_000), st.floats(0, 10_000))
def test_a_run_never_becomes_cheaper_with_time(task: TaskUsage, early: float, more: float) -> None:
    history = a_history()
    record_stack(history, FixedResources(load_balancers=1, alarm_metrics=3), HOUR)
    task.record(history)
    assert billed(history, HOUR + early).usd <= billed(history, HOUR + early + more).usd + 1e-12


@given(
    st.lists(st.tuples(st.integers(0, 120), st.floats(0, 1000)), max_size=20),
    st.lists(st.integers(0, 7200), max_size=6),
)
def test_the_scenarios_shares_add_up_to_the_marginal_cost(points: list[tuple[int, float]], cuts: list[int]) -> None:
    history = a_history()
    record_points(history, series("dynamodb.write.sessions"), [(HOUR + minute * 60, n) for minute, n in points])
    for index, (began, ended) in enumerate(zip(sorted(cuts), sorted(cuts)[1:], strict=False)):
        record_scenario(history, f"s{index}", HOUR + began, HOUR + ended)
    told = billed(history, HOUR + 8000)
    total = sum(dict(points).values()) * 0.625e-6
    assert sum(told.by_scenario().values()) == pytest.approx(told.marginal) == pytest.approx(total)


@given(st.lists(st.tuples(st.sampled_from(sorted(PRICES.prices)), st.floats(0, 1e6)), max_size=10))
def test_bills_add_up(parts: list[tuple[str, float]]) -> None:
    items = [Item(price, quantity, "x") for price, quantity in parts]
    whole = Bill(items, PRICES)
    assert whole.usd == pytest.approx(sum(Bill([item], PRICES).usd for item in items))
    assert sum(line.usd for line in whole.lines()) == pytest.approx(whole.usd)


def test_an_empty_history_costs_nothing() -> None:
    assert CostRecords.read([]).until == 0
    assert Bill(meter([]), PRICES).usd == 0
