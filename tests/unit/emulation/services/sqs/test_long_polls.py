"""The line of long polls, without any queue behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from webordinary_testkit.emulation.services.sqs.long_polls import Line
from webordinary_testkit.emulation.time.clock import Clock

SCALE = 60.0


class Shelf:
    """Messages to be had, and who asked for them."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.asked: list[str] = []

    def attempt(self, who: str) -> Callable[[], Awaitable[dict[str, Any]]]:
        async def attempt() -> dict[str, Any]:
            self.asked.append(who)
            await asyncio.sleep(0)
            return {"Messages": [self.messages.pop(0)]} if self.messages else {}

        return attempt


@pytest.fixture
def clock() -> Clock:
    return Clock(scale=SCALE)


@pytest.fixture
def line(clock: Clock) -> Line:
    return Line(clock)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def turn() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


def wait(line: Line, shelf: Shelf, who: str, seconds: float = 3600) -> asyncio.Task[dict[str, Any]]:
    return asyncio.create_task(line.receive(shelf.attempt(who), seconds))


async def test_what_is_there_is_taken_at_once(line: Line, shelf: Shelf) -> None:
    shelf.messages.append("m")

    assert await line.receive(shelf.attempt("a"), 3600) == {"Messages": ["m"]}
    assert shelf.asked == ["a"]


async def test_nobody_asks_again_until_something_may_be_there(line: Line, shelf: Shelf) -> None:
    waiting = [wait(line, shelf, who) for who in "abc"]
    await turn()
    asked = len(shelf.asked)

    await asyncio.sleep(0.05)  # three AWS seconds in which nothing happens

    assert len(shelf.asked) == asked <= 3
    for task in waiting:
        task.cancel()


async def test_messages_go_to_those_who_waited_longest(line: Line, shelf: Shelf) -> None:
    tasks = {who: wait(line, shelf, who) for who in "abc"}
    await turn()

    for message in ("first", "second", "third"):
        shelf.messages.append(message)
        line.nudge()
        await turn()

    assert {who: (await task)["Messages"] for who, task in tasks.items()} == {
        "a": ["first"],
        "b": ["second"],
        "c": ["third"],
    }


async def test_one_nudge_is_enough_for_many_messages(line: Line, shelf: Shelf) -> None:
    tasks = [wait(line, shelf, who) for who in "abc"]
    await turn()
    shelf.messages += ["x", "y", "z"]

    line.nudge()

    assert [(await task)["Messages"] for task in tasks] == [["x"], ["y"], ["z"]]


async def test_who_finds_nothing_in_time_leaves_with_nothing(line: Line, shelf: Shelf, clock: Clock) -> None:
    began = clock.now()

    assert await line.receive(shelf.attempt("a"), 2) == {}
    assert clock.now() - began >= 2


async def test_a_message_that_comes_due_wakes_the_line(line: Line, shelf: Shelf, clock: Clock) -> None:
    task = wait(line, shelf, "a")
    await turn()
    at = clock.now() + 3
    shelf.messages.append("m")
    line.due(at)

    assert (await task)["Messages"] == ["m"]
    assert clock.now() >= at


async def test_a_message_due_before_anybody_waited_wakes_the_line_too(line: Line, shelf: Shelf, clock: Clock) -> None:
    line.due(clock.now() + 3)
    task = wait(line, shelf, "a")
    await turn()
    assert shelf.asked == ["a"]
    shelf.messages.append("m")

    assert (await task)["Messages"] == ["m"]


async def test_a_nudge_in_the_middle_of_an_attempt_is_not_lost(line: Line, shelf: Shelf) -> None:
    asking, answer = asyncio.Event(), asyncio.Event()

    async def slow() -> dict[str, Any]:
        shelf.asked.append("a")
        found = {"Messages": [shelf.messages.pop(0)]} if shelf.messages else {}
        asking.set()
        await answer.wait()
        return found

    task = asyncio.create_task(line.receive(slow, 3600))
    await asking.wait()
    shelf.messages.append("m")
    line.nudge()
    answer.set()

    assert (await task)["Messages"] == ["m"]
    assert shelf.asked == ["a", "a"]


@pytest.mark.parametrize("moment", ["waiting", "woken"])
async def test_who_goes_away_leaves_the_message_to_the_next(line: Line, shelf: Shelf, moment: str) -> None:
    first, second = wait(line, shelf, "a"), wait(line, shelf, "b")
    await turn()
    shelf.messages.append("m")
    if moment == "woken":
        line.nudge()

    first.cancel()
    line.nudge()

    assert (await second)["Messages"] == ["m"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_attempt_that_fails_fails_its_own_caller_only(line: Line, shelf: Shelf) -> None:
    async def broken() -> dict[str, Any]:
        raise LookupError("no such queue")

    second = asyncio.create_task(asyncio.sleep(0))
    with pytest.raises(LookupError):
        await line.receive(broken, 3600)
    await second
    shelf.messages.append("m")
    assert (await line.receive(shelf.attempt("b"), 3600))["Messages"] == ["m"]


async def test_a_dissolved_line_lets_everybody_try_a_last_time(line: Line, shelf: Shelf) -> None:
    tasks = [wait(line, shelf, who) for who in "ab"]
    await turn()
    shelf.messages.append("m")

    line.dissolve()

    assert [await task for task in tasks] == [{"Messages": ["m"]}, {}]


async def test_a_closed_line_sends_everybody_home(line: Line, shelf: Shelf) -> None:
    tasks = [wait(line, shelf, who) for who in "ab"]
    await turn()
    shelf.messages.append("m")

    line.close()

    assert [await task for task in tasks] == [{}, {}]
    assert shelf.messages == ["m"]
