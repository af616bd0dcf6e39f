"""Waits for a condition; a failed wait shows the last observation and how it changed over time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .changes import Changes, noted
from .clock import Clock, iso
from .errors import WaitExpired

T = TypeVar("T")

LONGEST_PAUSE = 15.0
"""AWS seconds between two probes, at most, when a wait backs off."""
_LAST_LOOK = 2.0
"""Wall seconds that a probe which began in time may take beyond the deadline."""


class NotYet(Exception):
    """Raised by a probe while the condition does not hold; carries the observation."""

    def __init__(self, observed: object) -> None:
        super().__init__(str(observed))
        self.observed = observed


@dataclass
class Observations:
    """The observations of a wait, one entry for every change."""

    first: float
    """AWS time of the first probe, epoch seconds."""
    changes: list[tuple[float, str]] = field(default_factory=list)
    looks: int = 0

    def note(self, at: float, seen: object) -> None:
        self.looks += 1
        text = shortened(seen)
        if not self.changes or self.changes[-1][1] != text:
            self.changes.append((at, text))

    def history(self, keep: int = 12) -> list[str]:
        """The changes as lines; of many, the first and the last ones."""
        lines = [f"+{at - self.first:8.1f} s  {text}" for at, text in self.changes]
        if len(lines) <= keep:
            return lines
        head = keep // 3
        tail = keep - head
        return [*lines[:head], f"  … {len(lines) - keep} more changes …", *lines[-tail:]]


async def eventually(
    probe: Callable[[], Awaitable[T]],
    *,
    within: float,
    clock: Clock,
    describe: str,
    until: Callable[[T], bool] = bool,
    every: float = 1.0,
    backoff: float = 1.0,
    evidence: tuple[str, ...] = (),
    next: str = "",
    changes: Changes | None = None,
) -> T:
    """Probe until `until(value)` holds, at least once, and return that value.

    `within` and `every` are AWS seconds; `backoff` is the factor by which pauses grow, up to `LONGEST_PAUSE`. Where
    `changes` announces everything that the probe looks at, a pause lasts from `every` until the next change. The
    probe says "not yet" by a value that `until` refuses or by raising `NotYet`; any other exception ends the wait at
    once. Raises `WaitExpired` with the last observation, since when it holds, and the ones before.
    """
    __tracebackhide__ = True
    if within < 0 or every <= 0 or backoff < 1:
        raise ValueError(f"within ≥ 0, every > 0 (AWS seconds), backoff ≥ 1; got {within!r}, {every!r}, {backoff!r}")
    seen = Observations(first=clock.now())
    until_when = seen.first + clock.patience(within)
    while True:
        known = changes.number if changes else 0
        try:
            async with clock.timeout_at(max(until_when, clock.now()) + _LAST_LOOK * clock.scale) as look:
                with noted() as sources:
                    value = await probe()
            if until(value):
                return value
            seen.note(clock.now(), value)
        except NotYet as not_yet:
            seen.note(clock.now(), not_yet.observed)
        except TimeoutError:
            if not look.expired():
                raise
            seen.note(clock.now(), "the probe did not answer")
        remaining = until_when - clock.now()
        if remaining <= 0:
            story = [*_story(describe, within, clock, seen), *(f"evidence: {place}" for place in evidence)]
            raise WaitExpired("\n".join([*story, f"next: {next}"] if next else story), evidence=evidence)
        shortest = min(every, remaining)
        await clock.sleep(shortest)
        if changes and changes.covers(sources):
            longest = min(LONGEST_PAUSE, remaining)
            await _first(changes.since(known, sources), clock.sleep(longest - shortest))
        else:
            every = min(every * backoff, max(every, LONGEST_PAUSE))


async def _first(*awaited: Coroutine[Any, Any, None]) -> None:
    """Return when one of them does, and cancel the others."""
    tasks = [asyncio.ensure_future(each) for each in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _story(describe: str, within: float, clock: Clock, seen: Observations) -> list[str]:
    now = clock.now()
    since, last = seen.changes[-1]
    waited = now - seen.first
    wall = "" if clock.scale == 1 else f" = {waited / clock.scale:.1f} s on this machine"
    lines = [
        f"expected: {describe}, within {within:g} AWS s (waited {waited:.1f} AWS s{wall}, looked {seen.looks} times)",
        f"last seen: {last}",
        f"  since {iso(since)}, for {now - since:.1f} AWS s",
    ]
    if len(seen.changes) > 1:
        lines += ["  before that:", *(f"    {line}" for line in seen.history()[:-1])]
    return lines


def shortened(value: Any, limit: int = 240) -> str:
    """A value in one line, shortened for messages; a list by its items."""
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value)) or "nothing"
    text = " ".join(str(value).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
