"""Token buckets on the AWS clock: a burst at once, then at the pace, and never for what has no quota."""

from __future__ import annotations

import pytest

from tests.support.kit import ManualClock
from webordinary_testkit.kit.backends.live.rates import QUOTAS, Quota, RateLimiter


class Waits:
    """In the place of the event that nobody sets: notes how long somebody would wait."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def wait(self, seconds: float) -> None:
        self.seconds.append(round(seconds, 6))


def rates(scale: float = 1.0) -> tuple[RateLimiter, Waits, ManualClock]:
    clock = ManualClock(scale=scale)
    made, waits = (
        RateLimiter(clock, {"ecs.UpdateService": Quota("changes", 4, 2), "ecs.X": Quota("changes", 4, 2)}),
        Waits(),
    )
    made._never = waits  # type: ignore[assignment]  # a real wait would only make the test slow
    return made, waits, clock


def test_half_of_the_burst_passes_at_once_and_then_half_of_the_rate() -> None:
    made, waits, _ = rates()
    for _ in range(4):
        made.take("ecs", "UpdateService")
    assert waits.seconds == [1.0, 2.0]


def test_operations_of_one_quota_share_a_bucket_and_others_have_none() -> None:
    made, waits, _ = rates()
    for operation in ("UpdateService", "X", "X", "ListClusters"):
        made.take("ecs", operation)
    assert waits.seconds == [1.0]


def test_what_time_brings_back_is_there_again() -> None:
    made, waits, clock = rates()
    made.take("ecs", "X"), made.take("ecs", "X")
    clock.passed[0] += 60
    made.take("ecs", "X"), made.take("ecs", "X")
    assert waits.seconds == []


def test_on_a_fast_clock_the_wait_is_short() -> None:
    made, waits, _ = rates(scale=10)
    for _ in range(3):
        made.take("ecs", "X")
    assert waits.seconds == [0.1]


@pytest.mark.parametrize(("call", "per_second"), [("ecs.UpdateService", 5), ("ecs.DescribeTasks", 20)])
def test_the_quotas_are_the_published_ones(call: str, per_second: float) -> None:
    assert QUOTAS[call].per_second == per_second
