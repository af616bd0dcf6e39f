"""The network between load balancer and targets: the place where a fault can cut or slow it.

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
    """A link through which nothing passes."""

    refuses: bool
    """Connections are refused at once; otherwise packets vanish."""
    attempts: int = 0
    """Health checks and requests that it stopped."""
    healed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Disturbance:
    """A link through which things pass late."""

    delay: Callable[[], float]
    """AWS seconds by which the next one comes later."""
    passed: int = 0
    """Health checks and requests that it concerned."""
    held: int = 0
    """Those of them that it delayed."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self, clock: Clock) -> None:
        """As long as the next one is late; no longer once it is over."""
        self.passed += 1
        seconds = self.delay()
        if seconds <= 0:
            return
        self.held += 1
        try:
            async with asyncio.timeout(clock.wall(seconds)):
                await self.over.wait()
        except TimeoutError:
            return


class Links:
    """All links are whole until told otherwise. Applies to what starts afterwards, not to open exchanges."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cut: dict[Address, dict[str, Cut]] = {}
        self._disturbed: dict[Address, list[Disturbance]] = {}

    @property
    def whole(self) -> bool:
        return not (self._cut or self._disturbed)

    def cut(self, host: str, port: int, *, refuses: bool = False, by: str = "") -> Cut:
        """Packets to this target vanish (connecting neither succeeds nor is refused), or connections are refused.
        A link may be cut by several: it is whole when all have healed it. One's second cut changes nothing."""
        return self._cut.setdefault((host, port), {}).setdefault(by, Cut(refuses))

    def disturb(self, host: str, port: int, delay: Callable[[], float]) -> Disturbance:
        """What is sent to this target arrives late: by as many AWS seconds as `delay` says each time. Disturbances
        add up; each is taken back by `calm`."""
        disturbance = Disturbance(delay)
        self._disturbed.setdefault((host, port), []).append(disturbance)
        return disturbance

    def calm(self, host: str, port: int, disturbance: Disturbance) -> None:
        """Take a disturbance back; what it holds goes through. Nothing happens when that was done."""
        disturbance.over.set()
        left = [each for each in self._disturbed.pop((host, port), ()) if each is not disturbance]
        if left:
            self._disturbed[host, port] = left

    def heal(self, host: str, port: int, *, by: str = "") -> None:
        """Take back one's own cut; what waits goes through. Without a fault: nothing."""
        cuts = self._cut.get((host, port), {})
        cut = cuts.pop(by, None)
        if cut is not None:
            cut.healed.set()
        if not cuts:
            self._cut.pop((host, port), None)

    async def reach(self, host: str, port: int) -> None:
        """Returns when a connection attempt to the target would get through: while cut, never.
        The caller brings the timeout. Raises ConnectionRefusedError where the cut refuses."""
        address = (host, port)
        while cuts := self._cut.get(address):
            cut = next(iter(cuts.values()))
            cut.attempts += 1
            if cut.refuses:
                raise ConnectionRefusedError(f"{host}:{port} refuses connections")
            await cut.healed.wait()
        for disturbance in tuple(self._disturbed.get(address, ())):
            await disturbance.hold(self._clock)
