"""Waiting: it looks often enough, ends in time, and tells what it saw."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kit import ManualClock
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.errors import WaitExpired
from webordinary_testkit.kit.core.eventually import NotYet, Observations, eventually


def seeing(*values: object) -> Callable[[], Awaitable[object]]:
    """A probe that sees these values one after the other, and the last one for ever."""
    script: Iterator[object] = iter(values)
    last: list[object] = [None]

    async def probe() -> object:
        last[0] = next(script, last[0])
        if isinstance(last[0], Exception):
            raise last[0]
        return last[0]

    return probe


async def test_it_returns_what_the_probe_saw() -> None:
    assert await eventually(seeing(0, 0, 7), within=10, clock=ManualClock(), describe="a number") == 7


async def test_until_decides_so_that_zero_can_be_waited_for() -> None:
    value = await eventually(seeing(3, 1, 0), within=10, clock=ManualClock(), describe="zero", until=lambda n: n == 0)
    assert value == 0


async def test_a_budget_of_nothing_still_looks_once() -> None:
    assert await eventually(seeing("there"), within=0, clock=ManualClock(), describe="it") == "there"


async def test_its_failure_tells_the_last_observation_and_how_it_came_to_it() -> None:
    probe = seeing(NotYet("no task"), NotYet("1 PENDING"), NotYet("1 RUNNING"))
    with pytest.raises(WaitExpired) as expired:
        await eventually(
            probe, within=5, clock=ManualClock(), describe="two tasks", evidence=("history.jsonl",), next="kit status"
        )
    story = str(expired.value)
    assert "expected: two tasks, within 5 AWS s" in story
    assert "last seen: 1 RUNNING" in story
    assert story.index("no task") < story.index("1 PENDING")
    assert "since 2027-01-15T08:00:02" in story
    assert "evidence: history.jsonl" in story
    assert "next: kit status" in story


async def test_an_exception_of_the_probe_ends_the_wait_at_once() -> None:
    clock = ManualClock()
    with pytest.raises(LookupError):
        await eventually(seeing(LookupError("gone")), within=60, clock=clock, describe="it")
    assert clock.monotonic() == 0


async def test_a_timeout_of_the_probe_itself_is_not_taken_for_the_deadline() -> None:
    with pytest.raises(TimeoutError, match="of the connection"):
        await eventually(seeing(TimeoutError("of the connection")), within=60, clock=ManualClock(), describe="it")


async def test_a_probe_that_never_answers_does_not_hold_the_wait_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webordinary_testkit.kit.core.eventually._LAST_LOOK", 0.05)

    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(WaitExpired, match="the probe did not answer"):
        await eventually(never, within=0.01, clock=Clock(), describe="an answer")


async def test_on_a_fast_clock_the_budget_shrinks_and_the_allowance_is_added() -> None:
    clock = ManualClock(scale=60, allowance=2)
    with pytest.raises(WaitExpired):
        await eventually(seeing(None), within=60, clock=clock, describe="it")
    assert clock.monotonic() == pytest.approx(3.0)


async def test_with_back_off_it_looks_less_and_less_often() -> None:
    looks: list[float] = []
    clock = ManualClock()

    async def probe() -> None:
        looks.append(clock.monotonic())

    with pytest.raises(WaitExpired):
        await eventually(probe, within=30, clock=clock, describe="it", every=1, backoff=2)
    pauses = [later - earlier for earlier, later in itertools.pairwise(looks)]
    assert pauses[:4] == [1, 2, 4, 8]


@pytest.mark.parametrize("wrong", [{"within": -1}, {"every": 0}, {"backoff": 0.5}])
async def test_budgets_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="within ≥ 0"):
        await eventually(seeing(1), **{"within": 1, **wrong}, clock=ManualClock(), describe="it")


@given(st.integers(0, 40), st.floats(0.1, 60), st.floats(0.1, 20), st.floats(0.5, 100))
def test_it_never_waits_longer_than_its_budget(n: int, within: float, every: float, scale: float) -> None:
    clock = ManualClock(scale=scale)
    probe = seeing(*[None] * n, "there")
    try:
        asyncio.run(eventually(probe, within=within, every=every, clock=clock, describe="it"))
    except WaitExpired:
        assert clock.monotonic() == pytest.approx(within / scale)
    assert clock.monotonic() <= within / scale + 1e-6  # an epoch time as a float has steps of 0.24 µs


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=200))
def test_the_story_holds_changes_only_and_stays_short(seen: list[str]) -> None:
    observations = Observations(first=0.0)
    for at, value in enumerate(seen):
        observations.note(float(at), value)
    texts = [text for _, text in observations.changes]
    assert all(a != b for a, b in itertools.pairwise(texts))
    assert texts[-1] == seen[-1]
    assert len(observations.history()) <= 13
    assert observations.looks == len(seen)
