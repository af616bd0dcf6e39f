"""The network between load balancer and targets: the place where a fault can cut or slow it.

proxy ----+
          +--> links.reach(target) --> connect
checker --+
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from emulation.clock import Clock

Address = tuple[str, int]


@dataclass
class Cut:
    """A link through which nothing passes."""

    refuses: bool
    """Connections are refused at once; otherwise packets vanish."""
    attempts: int = 0
    """Health checks and requests that it stopped."""
    healed: asyncio.Event = field(default_factory=asyncio.Event)


class Links:
    """All links are whole until told otherwise. Applies to what starts afterwards, not to open exchanges."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cut: dict[Address, dict[str, Cut]] = {}
        self._latency: dict[Address, float] = {}

    @property
    def whole(self) -> bool:
        return not (self._cut or self._latency)

    def cut(self, host: str, port: int, *, refuses: bool = False, by: str = "") -> Cut:
        """Packets to this target vanish (connecting neither succeeds nor is refused), or connections are refused.
        A link may be cut by several: it is whole when all have healed it. One's second cut changes nothing."""
        return self._cut.setdefault((host, port), {}).setdefault(by, Cut(refuses))

    def slow(self, host: str, port: int, seconds: float) -> None:
        """Everything sent to this target arrives so many AWS seconds later."""
        self._latency[(host, port)] = seconds

    def heal(self, host: str, port: int, *, by: str = "") -> None:
        """Take back one's own cut, and without `by` also the latency; what waits goes through. Without a fault:
        nothing."""
        if not by:
            self._latency.pop((host, port), None)
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
        if seconds := self._latency.get(address):
            await self._clock.sleep(seconds)
