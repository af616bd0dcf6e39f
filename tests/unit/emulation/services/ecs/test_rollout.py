"""Back-off and circuit breaker."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.emulation.services.ecs.test_plan import deployment, service, task
from webordinary_testkit.emulation.services.ecs.model import FIRST_DELAY, LONGEST_DELAY, Backoff
from webordinary_testkit.emulation.services.ecs.rollout import breaker_threshold, failed_to_start


def test_the_first_failures_are_retried_at_once() -> None:
    backoff = Backoff()
    backoff.failed(100)
    backoff.failed(101)
    assert backoff.until <= 101
    assert not backoff.throttling


def test_the_delay_doubles_up_to_27_minutes() -> None:
    backoff = Backoff()
    delays = []
    for _ in range(30):
        backoff.failed(0)
        delays.append(backoff.until)
    assert delays[:6] == [0, 0, FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY, 8 * FIRST_DELAY]
    assert delays[-1] == LONGEST_DELAY == 27 * 60


def test_a_reset_forgets_the_failures() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.failed(0)
    backoff.reset()
    assert (backoff.until, backoff.throttling) == (0, False)


def ended(code: str, *, ran: float | None, exit_code: int = 1) -> Any:
    """A task that ended after so many AWS seconds; None when it never ran."""
    it = task(deployment(), "RUNNING" if ran is not None else "STOPPED", stop_code=code, stopping_at=0.0)
    it.started_at = None if ran is None else -ran
    it.containers[0].exit_code = exit_code
    return it


@pytest.mark.parametrize(
    ("it", "failed"),
    [
        (ended("TaskFailedToStart", ran=None), True),
        (ended("EssentialContainerExited", ran=None), True),
        (ended("EssentialContainerExited", ran=59), True),
        (ended("EssentialContainerExited", ran=61), False),
        (ended("EssentialContainerExited", ran=1, exit_code=137), False),
        (ended("UserInitiated", ran=None), False),
        (ended("ServiceSchedulerInitiated", ran=1), False),
    ],
)
def test_which_ends_count_as_failed_starts_at_scale_60(it: Any, failed: bool) -> None:
    assert failed_to_start(it, scale=60) is failed


@pytest.mark.parametrize(
    ("desired", "limit", "threshold"),
    [
        (1, None, 3),
        (25, None, 13),
        (1000, None, 200),
        (10, {"type": "COUNT", "value": 1}, 1),
        (10, {"type": "BOUNDED_PERCENT", "value": 10}, 3),
        (10, {"type": "UNBOUNDED_PERCENT", "value": 10}, 1),
    ],
)
def test_how_many_failures_trip_the_breaker(desired: int, limit: Any, threshold: int) -> None:
    breaker = {"enable": True, "rollback": False, **({"thresholdConfiguration": limit} if limit else {})}
    of = service(desired)
    of.configuration = {"deploymentCircuitBreaker": breaker}
    assert breaker_threshold(of) == threshold


def test_a_breaker_that_is_off_has_no_threshold() -> None:
    of = service(1)
    of.configuration = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
    assert breaker_threshold(of) is None
