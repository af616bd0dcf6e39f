"""AWS time as programs use it: the same on a page and at a scale."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from webordinary_testkit.awsclock.clock import AwsClock, opened
from webordinary_testkit.awsclock.loop import Loop, run
from webordinary_testkit.awsclock.page import IDLE, Page

Body = Callable[[AwsClock], Awaitable[None]]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page.create(tmp_path / "clock")


@pytest.fixture(params=["scaled", "on a page"])
def on_clock(request: pytest.FixtureRequest, page: Page) -> Callable[[Body], None]:
    """Runs a body on a clock. Without an authority, AWS time on a page is wall time."""

    def runs(body: Body) -> None:
        async def main() -> None:
            await body(AwsClock(10) if request.param == "scaled" else AwsClock(page=page))

        run(main())

    return runs


def test_a_sleep_lasts_until_its_time(on_clock: Callable[[Body], None]) -> None:
    async def body(clock: AwsClock) -> None:
        until = clock.now() + 0.2
        await clock.sleep_until(until)
        assert until <= clock.now() < until + 2

    on_clock(body)


def test_timers_fire_in_the_order_of_their_times(on_clock: Callable[[Body], None]) -> None:
    async def body(clock: AwsClock) -> None:
        fired: list[str] = []
        for name, seconds in (("third", 0.3), ("first", 0.1), ("second", 0.2)):
            clock.call_later(seconds, fired.append, name)
        clock.call_later(0.15, fired.append, "cancelled").cancel()
        await clock.sleep(0.4)
        assert fired == ["first", "second", "third"]

    on_clock(body)


def test_a_timeout_ends_its_block(on_clock: Callable[[Body], None]) -> None:
    async def body(clock: AwsClock) -> None:
        with pytest.raises(TimeoutError):
            async with clock.timeout(0.1) as limit:
                await asyncio.Event().wait()
        assert limit.expired()

    on_clock(body)


def test_a_block_that_ends_in_time_has_no_timeout(on_clock: Callable[[Body], None]) -> None:
    async def body(clock: AwsClock) -> None:
        async with clock.timeout(0.1), clock.timeout(None):
            await asyncio.sleep(0)
        await clock.sleep(0.2)

    on_clock(body)


def test_wait_says_what_is_done_and_what_is_not(on_clock: Callable[[Body], None]) -> None:
    async def body(clock: AwsClock) -> None:
        soon = asyncio.ensure_future(clock.sleep(0.1))
        late = asyncio.ensure_future(clock.sleep(60))
        assert await clock.wait([soon, late], 0.3) == ({soon}, {late})
        late.cancel()

    on_clock(body)


def test_a_thread_sleeps_in_aws_time(on_clock: Callable[[Body], None]) -> None:
    async def body(clock: AwsClock) -> None:
        began = clock.now()
        await asyncio.to_thread(clock.pause_thread, asyncio.get_running_loop(), 0.2)
        assert clock.now() >= began + 0.2

    on_clock(body)


def test_a_timer_that_is_cancelled_when_it_is_due_does_not_run(page: Page) -> None:
    """The timer of a timeout is due in the turn of the loop in which its block ends."""
    problems: list[dict[str, Any]] = []

    async def main() -> None:
        loop, clock = asyncio.get_running_loop(), AwsClock(page=page)
        loop.set_exception_handler(lambda _, problem: problems.append(problem))
        over = loop.create_future()
        clock.call_later(0.05, over.set_result, None)
        clock.call_later(0.05, lambda: [timer.cancel() for timer in timers])
        timers = [clock.call_later(0.05, problems.append, {"message": "it ran"})]
        async with clock.timeout(0.05001):
            time.sleep(0.1)  # noqa: ASYNC251 - so that all of them are due in one turn
            await over
        await clock.sleep(0.01)

    run(main())
    assert problems == []


def test_a_loop_publishes_its_next_deadline_while_it_rests(page: Page) -> None:
    async def main() -> None:
        clock = AwsClock(page=page)
        clock.call_later(50, print)
        later = asyncio.ensure_future(clock.sleep(0.2))
        await asyncio.to_thread(_until, lambda: page.slots()[0].state == IDLE)
        (slot,) = page.slots()
        assert 0 < slot.deadline - page.now() < 200_000_000
        assert not slot.drives
        await later

    run(main())
    assert page.slots() == []


def test_a_driver_drives_while_it_waits_for_what_ends(page: Page) -> None:
    class Driver(AwsClock):
        driver = True

    async def main() -> None:
        clock = Driver(page=page)
        repeated = asyncio.ensure_future(clock.sleep(60, background=True))
        assert not await _drives()
        awaited = asyncio.ensure_future(clock.sleep(60))
        assert await _drives()
        awaited.cancel()
        assert not await _drives()
        repeated.cancel()

    async def _drives() -> bool:
        await asyncio.sleep(0.01)
        await asyncio.to_thread(_until, lambda: page.slots()[0].state == IDLE)
        return page.slots()[0].drives

    run(main())


def test_holds_are_counted(page: Page) -> None:
    async def main() -> None:
        clock = AwsClock(page=page)
        with clock.hold("a browser"):
            with clock.hold("git"):
                assert page.slots()[0].holds == 2
            assert (page.slots()[0].holds, page.held(0)) == (1, "a browser")
        assert page.slots()[0].holds == 0

    run(main())


def test_a_clock_that_does_not_jump_needs_no_special_loop() -> None:
    async def main() -> None:
        clock = AwsClock(1000)
        with clock.hold("nothing"):
            await clock.sleep(1)

    asyncio.run(main())


def test_a_loop_that_does_not_take_part_is_refused(page: Page) -> None:
    with pytest.raises(RuntimeError, match=r"expected .*awsclock\.loop\.Loop, got asyncio.*next: start it by"):
        asyncio.run(AwsClock(page=page).sleep(1))


def test_a_loop_has_one_slot_on_each_page(page: Page, tmp_path: Path) -> None:
    other = Page.create(tmp_path / "other")

    async def main() -> None:
        for each in (page, other, page):
            await AwsClock(page=each).sleep(0.01)
        assert (len(page.slots()), len(other.slots())) == (1, 1)

    run(main())


@pytest.mark.parametrize("scale", [0, -1])
def test_a_scale_is_above_zero(scale: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        AwsClock(scale)


def test_a_clock_on_a_page_has_no_scale(page: Page) -> None:
    with pytest.raises(ValueError, match="has no scale, got 60"):
        AwsClock(60, page=page)


def test_a_page_is_mapped_once(page: Page) -> None:
    assert opened(str(page.folder)) is opened(str(page.folder))


def test_a_closed_loop_gives_its_slot_back(page: Page) -> None:
    loop = Loop()
    loop.join(page, name="a")
    assert len(page.slots()) == 1
    loop.close()
    assert page.slots() == []


def _until(holds: Callable[[], bool]) -> None:
    """Look until it holds, for two seconds."""
    over = threading.Event()
    for _ in range(2000):
        if holds():
            return
        over.wait(0.001)
    raise AssertionError("it did not become so")
