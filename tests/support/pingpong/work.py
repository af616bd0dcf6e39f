"""What both players share: the clock, timers that repeat, legs without a jump, and work of all kinds."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from webordinary_testkit.awsclock.clock import AwsClock, opened
from webordinary_testkit.emulation.system.aws import Aws
from webordinary_testkit.emulation.system.ids import Ids
from webordinary_testkit.kit.core.clock import Clock as DriversClock

BEATS = 1
"""Timers of a player that repeat for ever, seven times an AWS second on average."""
KINDS = ("nothing", "processor", "thread", "child", "pause")
_COUNT = "i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo done; /bin/true"


@dataclass
class Player:
    """One process of the game."""

    clock: AwsClock
    chance: random.Random
    legs: int = 0
    """In which the clock must not jump."""
    false: Counter[str] = field(default_factory=Counter)
    """Jumps, and timers before their time, by the leg in which they happened."""

    def __post_init__(self) -> None:
        self.aws = Aws(self.clock, Ids(), threads=40)
        self.clock.take_part()

    @classmethod
    def of(cls, name: str, seed: int, *, driver: bool = False) -> Player:
        clock = (DriversClock if driver else AwsClock)(page=opened(os.environ["CLOCK_PAGE"]))
        clock.name = name
        return cls(clock, random.Random(f"{seed}/{name}"))

    @property
    def jumps(self) -> int:
        assert self.clock.page is not None
        return self.clock.page.jumps

    def arrived(self, leg: str, jumps: int) -> None:
        """The end of a leg that began when the counter was at `jumps`."""
        self.legs += 1
        self.false[leg] += self.jumps - jumps

    @contextmanager
    def under_way(self, leg: str) -> Iterator[None]:
        jumps = self.jumps
        yield
        self.arrived(leg, jumps)

    async def sleep(self, seconds: float, *, background: bool = False) -> None:
        due = self.clock.now() + seconds
        await self.clock.sleep(seconds, background=background)
        self.false["a timer before its time"] += self.clock.now() < due

    async def beat(self) -> None:
        while True:
            await self.sleep(timer(self.chance, 1), background=True)

    async def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """A call of SQS, in a thread, which is under way from its begin to its end."""
        with self.under_way(operation):
            return await self.aws.call("sqs", operation, **params)

    async def work(self, kind: str) -> None:
        with self.under_way(f"work: {kind}"):
            if kind == "processor":
                until = time.thread_time() + self.chance.uniform(0, 0.003)
                while time.thread_time() < until:
                    pass
            elif kind == "thread":
                await asyncio.to_thread(sum, range(50_000))
            elif kind == "child":
                child = await asyncio.create_subprocess_exec("/bin/sh", "-c", _COUNT, stdout=asyncio.subprocess.PIPE)
                await child.communicate()
            elif kind == "pause":
                await self.clock.sleep_wall(0.005)

    def result(self) -> dict[str, Any]:
        return {"legs": self.legs, "false": {leg: count for leg, count in self.false.items() if count}}


def timer(chance: random.Random, longest: float) -> float:
    """AWS seconds from 1 ms on, of every order of magnitude alike."""
    return float(10 ** chance.uniform(-3, 0)) * longest


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
