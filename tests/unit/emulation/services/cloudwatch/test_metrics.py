from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.emulation.services.cloudwatch.metrics import HIGH_RESOLUTION_KEPT, KEPT, Metric, MetricStore
from webordinary_testkit.emulation.services.cloudwatch.samples import Samples, statistic

NOON = 1795348800.0  # 2026-11-22T12:00:00Z
ORDERS = Metric.named("Shop", "Orders", {"Environment": "test"})


class Time:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def store(time: Time) -> MetricStore:
    return MetricStore(time)


def sums(store: MetricStore, metric: Metric, start: float, period: int, count: int) -> list[float | None]:
    return [None if each is None else each.total for each in store.windows(metric, start, period, count)]


def test_values_of_one_period_are_aggregated(store: MetricStore) -> None:
    for at, value in ((0, 1.0), (30, 2.0), (59, 3.0), (60, 10.0)):
        store.put(ORDERS, NOON + at, Samples.of([value]))
    first, second = store.windows(ORDERS, NOON, 60, 2)
    assert first is not None
    assert second is not None
    assert (first.count, first.total, first.minimum, first.maximum) == (3, 6.0, 1.0, 3.0)
    assert second.total == 10.0


def test_a_dimension_less_is_another_metric(store: MetricStore) -> None:
    store.put(ORDERS, NOON, Samples.of([1.0]))
    assert sums(store, Metric.named("Shop", "Orders", {}), NOON, 60, 1) == [None]


def test_the_order_of_dimensions_does_not_matter() -> None:
    assert Metric.named("Shop", "Orders", {"A": "1", "B": "2"}) == Metric.named("Shop", "Orders", {"B": "2", "A": "1"})


def test_standard_resolution_is_kept_to_the_minute(store: MetricStore) -> None:
    store.put(ORDERS, NOON + 42, Samples.of([1.0]))
    assert sums(store, ORDERS, NOON, 10, 6) == [1.0, None, None, None, None, None]


def test_high_resolution_is_kept_to_the_second(store: MetricStore) -> None:
    store.put(ORDERS, NOON + 42.9, Samples.of([1.0]), resolution=1)
    assert sums(store, ORDERS, NOON + 40, 1, 4) == [None, None, 1.0, None]


def test_high_resolution_becomes_minutes_after_three_hours(store: MetricStore, time: Time) -> None:
    store.put(ORDERS, NOON + 42, Samples.of([1.0]), resolution=1)
    store.put(ORDERS, NOON + 43, Samples.of([2.0]), resolution=1)
    time.now = NOON + HIGH_RESOLUTION_KEPT + 120
    store.put(ORDERS, time.now, Samples.of([5.0]), resolution=1)
    assert sums(store, ORDERS, NOON + 40, 10, 1) == [None]
    assert sums(store, ORDERS, NOON, 60, 1) == [3.0]


def test_minutes_are_forgotten_in_the_end(store: MetricStore, time: Time) -> None:
    store.put(ORDERS, NOON, Samples.of([1.0]))
    time.now = NOON + KEPT + 120
    store.put(ORDERS, time.now, Samples.of([5.0]))
    assert sums(store, ORDERS, NOON, 60, 1) == [None]


def test_units_are_kept_apart_and_merged_where_none_is_asked_for(store: MetricStore) -> None:
    store.put(ORDERS, NOON, Samples.of([1.0]), unit="Count")
    store.put(ORDERS, NOON, Samples.of([2.0]), unit="Percent")
    count = store.windows(ORDERS, NOON, 60, 1, unit="Count")[0]
    every = store.windows(ORDERS, NOON, 60, 1)[0]
    assert count is not None
    assert every is not None
    assert (count.total, every.total) == (1.0, 3.0)


def test_what_lies_at_or_after_the_end_is_not_told(store: MetricStore) -> None:
    for at, value in ((0, 1.0), (29, 2.0), (30, 4.0)):
        store.put(ORDERS, NOON + at, Samples.of([value]), resolution=1)
    (only,) = store.windows(ORDERS, NOON, 60, 1, end=NOON + 30)
    assert only is not None
    assert only.total == 3.0


def test_listeners_hear_of_each_datapoint_at_once(store: MetricStore) -> None:
    heard: list[tuple[Metric, int]] = []
    store.on_arrival(lambda metric, at: heard.append((metric, at)))
    store.put(ORDERS, NOON + 5, Samples.of([1.0]))
    assert heard == [(ORDERS, int(NOON))]


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 9)), max_size=40),
    st.sampled_from([1, 10, 60, 120]),
    st.integers(0, 300),
)
def test_reading_in_periods_is_the_same_as_looking_at_every_value(
    data: list[tuple[int, int]], period: int, offset: int
) -> None:
    store = MetricStore(Time())
    for second, value in data:
        store.put(ORDERS, NOON + second, Samples.of([float(value)]), resolution=1)
    start = NOON + offset
    expected = [
        sum(value for second, value in data if start + at * period <= NOON + second < start + (at + 1) * period)
        for at in range(5)
    ]
    assert [each or 0 for each in sums(store, ORDERS, start, period, 5)] == expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.integers(0, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = statistic(f"p{percent}")(Samples.of(values))
    assert found in values
    assert found is not None
    assert sum(value <= found for value in values) >= len(values) * percent / 100
    assert sum(value < found for value in values) <= len(values) * percent / 100


def test_a_statistic_set_has_no_percentiles_unless_all_its_values_are_equal() -> None:
    median = statistic("p50")
    assert median(Samples(3, 6.0, 1.0, 3.0)) is None
    assert median(Samples(3, 6.0, 2.0, 2.0)) == 2.0


@pytest.mark.parametrize("name", ["p101", "median", "tm90", "average", ""])
def test_a_statistic_nobody_knows_is_an_error(name: str) -> None:
    with pytest.raises(KeyError):
        statistic(name)
