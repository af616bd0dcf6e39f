"""The network paths from load balancers to targets, where faults cut or delay traffic.

proxy ----+
          +--> links.reach(target) --> connect
checker --+
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ...time.clock import Clock

Address = tuple[str, int]


@dataclass
class Cut:
    """A link that passes nothing."""

    refuses: bool
    """Connections are refused at once; otherwise packets vanish."""
    attempts: int = 0
    """Health checks and requests it stopped."""
    healed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Disturbance:
    """A link that delays traffic."""

    delay: Callable[[], float]
    """Returns the delay of the next request in AWS seconds."""
    passed: int = 0
    """Health checks and requests that passed."""
    held: int = 0
    """How many of them were delayed."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, clock: Clock) -> None:
        """Wait for the delay, or until the disturbance ends."""
        self.passed += 1
        seconds = self.delay()
        if seconds <= 0:
            return
        self.held += 1
        try:
            async with clock.timeout(seconds):
                await self.over.wait()
        except TimeoutError:
            return


class Links:
    """Faults apply to requests that start afterwards, not to open ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cut: dict[Address, dict[str, Cut]] = {}
        self._disturbed: dict[Address, list[Disturbance]] = {}

    @property
    def whole(self) -> bool:
        return not (self._cut or self._disturbed)

    def cut(self, host: str, port: int, *, refuses: bool = False, by: str = "") -> Cut:
        """Drop all packets to a target, or refuse connections to it. Idempotent for each `by`; the link is whole again
        when every `by` has healed it."""
        return self._cut.setdefault((host, port), {}).setdefault(by, Cut(refuses))

    def disturb(self, host: str, port: int, delay: Callable[[], float]) -> Disturbance:
        """Delay each request to a target by `delay()` AWS seconds, until `calm`. Disturbances add up."""
        disturbance = Disturbance(delay)
        self._disturbed.setdefault((host, port), []).append(disturbance)
        return disturbance

    def calm(self, host: str, port: int, disturbance: Disturbance) -> None:
        """Remove a disturbance and release the requests it holds. Idempotent."""
        disturbance.over.set()
        left = [each for each in self._disturbed.pop((host, port), ()) if each is not disturbance]
        if left:
            self._disturbed[host, port] = left

    def heal(self, host: str, port: int, *, by: str = "") -> None:
        """Remove the cut made by `by` and release waiting requests. Idempotent."""
        cuts = self._cut.get((host, port), {})
        cut = cuts.pop(by, None)
        if cut is not None:
            cut.healed.set()
        if not cuts:
            self._cut.pop((host, port), None)

    async def reach(self, host: str, port: int) -> None:
        """Wait until a connection attempt to the target would get through; the caller sets the timeout. Raises
        `ConnectionRefusedError` where a cut refuses."""
        address = (host, port)
        while cuts := self._cut.get(address):
            cut = next(iter(cuts.values()))
            cut.attempts += 1
            if cut.refuses:
                raise ConnectionRefusedError(f"{host}:{port} refuses connections")
            await cut.healed.wait()
        for disturbance in tuple(self._disturbed.get(address, ())):
            await disturbance.hold(self._clock)
