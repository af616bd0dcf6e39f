"""Delays the emulated cloud as long as AWS delays its users, by a profile and the run's seed.

    ResourceDelays.wait("ecs.task.provisioning") --Profile, seed--> AWS seconds --Clock--> continues
                                                       \\--> the record of delays

The n-th delay of a name on the n-th resource of a kind has a random generator of its own, so the same seed gives the
same delays in whatever order the resources need them.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .clock import Clock
from .profile import NONE, Delay, Profile


class Latency:
    """The delays of one cloud."""

    def __init__(
        self,
        profile: Profile | None = None,
        clock: Clock | None = None,
        *,
        seed: int | None = None,
        record: Path | None = None,
    ) -> None:
        """Without a profile nothing is delayed. Without a seed the draws differ from run to run; `record` is a file
        that gets the profile and every draw as JSON lines."""
        self.profile = profile or Profile(NONE)
        self.clock = clock or Clock()
        self.seed = random.SystemRandom().getrandbits(32) if seed is None else seed
        self._resources: Counter[str] = Counter()
        self._record = record
        if record is not None and self.profile.delays:
            self.write(profile=self.profile.to_json(), seed=self.seed)

    def resource(self, kind: str) -> ResourceDelays:
        """The delays of the next resource of a kind, such as the tasks of one service.

        `kind` must be the same in every run: no generated id.
        """
        self._resources[kind] += 1
        return ResourceDelays(self, kind, self._resources[kind])

    def quantum(self, key: str) -> float:
        """The share (0 to 1, exclusive) that the seed draws for a key."""
        return min(max(random.Random(f"{self.seed}/{key}").random(), 1e-9), 1 - 1e-9)  # noqa: S311 - chance, not a key

    def write(self, **entry: Any) -> None:
        """Append a line to the record."""
        if self._record is None:
            return
        with self._record.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


@dataclass
class ResourceDelays:
    """The delays of one resource."""

    latency: Latency
    kind: str
    ordinal: int
    _counts: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        return f"{self.kind} {self.ordinal}"

    def draw(self, name: str, *, variant: str = "", image: str = "", begins: bool = True) -> float:
        """The next delay of this name in AWS seconds; 0 when the profile has none. It is recorded as beginning now,
        unless `begins` is false.

        `variant` is a resource type, `image` the name of an image to pull.
        """
        delay = self.latency.profile.delay(name, variant)
        if delay is None:
            return 0.0
        self._counts[name] += 1
        number = self._counts[name]
        factor = self._factor(delay, image)
        seconds = factor * delay.distribution.quantile(
            self.latency.quantum(f"{delay.name}/{self.kind}/{self.ordinal}/{number}")
        )
        self._write(
            delay.name,
            seconds,
            number=number,
            **({"began": round(self.latency.clock.now(), 3)} if begins else {}),
            **({} if factor == 1 else {"factor": round(factor, 4)}),
        )
        return seconds

    def waits(self, name: str, seconds: float) -> None:
        """Record a wait that begins now and whose length follows from an earlier draw."""
        self._write(name, seconds, began=round(self.latency.clock.now(), 3))

    async def wait(self, name: str, *, variant: str = "", image: str = "") -> None:
        """Wait for the next delay of this name; returns at once, without a switch of tasks, when there is none."""
        seconds = self.draw(name, variant=variant, image=image)
        if seconds > 0:
            await self.latency.clock.sleep(seconds)

    def _write(self, name: str, seconds: float, **more: Any) -> None:
        self.latency.write(delay=name, resource=self.name, seconds=round(seconds, 3), **more)

    def _factor(self, delay: Delay, image: str) -> float:
        return self.latency.profile.size(image) / delay.for_mib if image and delay.for_mib else 1.0
