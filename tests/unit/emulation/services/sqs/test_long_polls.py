"""Long polls, without a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from webordinary_testkit.emulation.services.sqs.long_polls import LongPolls
from webordinary_testkit.emulation.time.clock import Clock

SCALE = 60.0


class Shelf:
    """Messages, and the polls that tried to receive them."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.attempts: list[str] = []

    def attempt(self, who: str) -> Callable[[], Awaitable[dict[str, Any]]]:
        async def attempt() -> dict[str, Any]:
            self.attempts.append(who)
            await asyncio.sleep(0)
            return {"Messages": [self.messages.pop(0)]} if self.messages else {}

        return attempt


@pytest.fixture
def clock() -> Clock:
    return Clock(scale=SCALE)


@pytest.fixture
def polls(clock: Clock) -> LongPolls:
    return LongPolls(clock)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def turn() -> None:
    """Let everything that is ready run."""
    for _ in range(10):
        await asyncio.sleep(0)


def wait(polls: LongPolls, shelf: Shelf, who: str, seconds: float = 3600) -> asyncio.Task[dict[str, Any]]:
    return asyncio.create_task(polls.receive(shelf.attempt(who), seconds))


async def test_what_is_there_is_taken_at_once(polls: LongPolls, shelf: Shelf) -> None:
    shelf.messages.append("m")

    assert await polls.receive(shelf.attempt("a"), 3600) == {"Messages": ["m"]}
    assert shelf.attempts == ["a"]


async def test_nobody_asks_again_until_something_may_be_there(polls: LongPolls, shelf: Shelf) -> None:
    waiting = [wait(polls, shelf, who) for who in "abc"]
    await turn()
    attempts = len(shelf.attempts)

    await asyncio.sleep(0.05)  # three AWS seconds in which nothing happens

    assert len(shelf.attempts) == attempts <= 3
    for task in waiting:
        task.cancel()


async def test_messages_go_to_those_who_waited_longest(polls: LongPolls, shelf: Shelf) -> None:
    tasks = {who: wait(polls, shelf, who) for who in "abc"}
    await turn()

    for message in ("first", "second", "third"):
        shelf.messages.append(message)
        polls.notify()
        await turn()

    assert {who: (await task)["Messages"] for who, task in tasks.items()} == {
        "a": ["first"],
        "b": ["second"],
        "c": ["third"],
    }


async def test_one_nudge_is_enough_for_many_messages(polls: LongPolls, shelf: Shelf) -> None:
    tasks = [wait(polls, shelf, who) for who in "abc"]
    await turn()
    shelf.messages += ["x", "y", "z"]

    polls.notify()

    assert [(await task)["Messages"] for task in tasks] == [["x"], ["y"], ["z"]]


async def test_who_finds_nothing_in_time_leaves_with_nothing(polls: LongPolls, shelf: Shelf, clock: Clock) -> None:
    began = clock.now()

    assert await polls.receive(shelf.attempt("a"), 2) == {}
    assert clock.now() - began >= 2


async def test_a_message_that_comes_due_wakes_the_line(polls: LongPolls, shelf: Shelf, clock: Clock) -> None:
    task = wait(polls, shelf, "a")
    await turn()
    at = clock.now() + 3
    shelf.messages.append("m")
    polls.notify_at(at)

    assert (await task)["Messages"] == ["m"]
    assert clock.now() >= at


async def test_a_message_due_before_a_poll_waits_wakes_it_too(polls: LongPolls, shelf: Shelf, clock: Clock) -> None:
    polls.notify_at(clock.now() + 3)
    task = wait(polls, shelf, "a")
    await turn()
    assert shelf.attempts == ["a"]
    shelf.messages.append("m")

    assert (await task)["Messages"] == ["m"]


async def test_a_nudge_in_the_middle_of_an_attempt_is_not_lost(polls: LongPolls, shelf: Shelf) -> None:
    asking, answer = asyncio.Event(), asyncio.Event()

    async def slow() -> dict[str, Any]:
        shelf.attempts.append("a")
        found = {"Messages": [shelf.messages.pop(0)]} if shelf.messages else {}
        asking.set()
        await answer.wait()
        return found

    task = asyncio.create_task(polls.receive(slow, 3600))
    await asking.wait()
    shelf.messages.append("m")
    polls.notify()
    answer.set()

    assert (await task)["Messages"] == ["m"]
    assert shelf.attempts == ["a", "a"]


@pytest.mark.parametrize("moment", ["waiting", "woken"])
async def test_who_goes_away_leaves_the_message_to_the_next(polls: LongPolls, shelf: Shelf, moment: str) -> None:
    first, second = wait(polls, shelf, "a"), wait(polls, shelf, "b")
    await turn()
    shelf.messages.append("m")
    if moment == "woken":
        polls.notify()

    first.cancel()
    polls.notify()

    assert (await second)["Messages"] == ["m"]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_attempt_that_fails_fails_its_own_caller_only(polls: LongPolls, shelf: Shelf) -> None:
    async def broken() -> dict[str, Any]:
        raise LookupError("no such queue")

    second = asyncio.create_task(asyncio.sleep(0))
    with pytest.raises(LookupError):
        await polls.receive(broken, 3600)
    await second
    shelf.messages.append("m")
    assert (await polls.receive(shelf.attempt("b"), 3600))["Messages"] == ["m"]


async def test_a_dissolved_line_lets_everybody_try_a_last_time(polls: LongPolls, shelf: Shelf) -> None:
    tasks = [wait(polls, shelf, who) for who in "ab"]
    await turn()
    shelf.messages.append("m")

    polls.queue_deleted()

    assert [await task for task in tasks] == [{"Messages": ["m"]}, {}]


async def test_a_closed_line_sends_everybody_home(polls: LongPolls, shelf: Shelf) -> None:
    tasks = [wait(polls, shelf, who) for who in "ab"]
    await turn()
    shelf.messages.append("m")

    polls.close()

    assert [await task for task in tasks] == [{}, {}]
    assert shelf.messages == ["m"]
