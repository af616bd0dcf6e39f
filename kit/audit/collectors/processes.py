"""Processes of a dead run: its cloud, the cloud's guardian, its tasks, and processes that escaped from them.

cloud (ends by itself when its stdin closes) --> guardian (kills its tasks) --> SIGKILL for the rest
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...core.clock import Clock
from ..collector import Collector, Leftover, Runs
from ..machine import Carrier, Identity, carriers
from ..notes import TOKEN_VARIABLE

_GUARDIAN_WITHIN = 1.0
"""Wall seconds for the guardian of a killed cloud to kill the tasks and remove the folder."""
_GONE_WITHIN = 2.0
"""Wall seconds for a killed process to vanish from the process table."""
_LOOK_AGAIN = 0.02


@dataclass(frozen=True)
class _Key:
    identity: Identity
    is_cloud: bool


class Processes(Collector):
    """Identified by the run's token in their environment; the cloud also by its note."""

    name = "processes"

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()

    async def look(self, runs: Runs) -> Sequence[Leftover]:
        clouds = {noted.child: noted for noted in runs.over if noted.child is not None}
        carrying = carriers(TOKEN_VARIABLE, [noted.token for noted in runs.over])
        known = {one.identity for one in carrying}
        carrying += [
            Carrier(cloud, noted.token, "the emulated cloud")
            for cloud, noted in clouds.items()
            if cloud not in known and cloud.alive()
        ]
        return [
            Leftover(
                f"process {one.identity.pid} ({one.command})",
                one.token,
                _Key(one.identity, one.identity in clouds),
            )
            for one in carrying
        ]

    async def clean(self, left: Sequence[Leftover], patience: float) -> Mapping[Leftover, str]:
        keys = {one: one.key for one in left if isinstance(one.key, _Key)}
        if not any(key.is_cloud for key in keys.values()):
            patience = min(patience, _GUARDIAN_WITHIN)  # no cloud that ends the rest in order
        if await self._gone(keys.values(), patience):
            return dict.fromkeys(left, "ended by itself")
        running = {one for one, key in keys.items() if key.identity.alive()}
        for one in running:
            if keys[one].is_cloud:
                keys[one].identity.kill()
        if any(keys[one].is_cloud for one in running):
            await self._gone([keys[one] for one in running], _GUARDIAN_WITHIN)
        for one in running:
            keys[one].identity.kill()
        await self._gone(keys.values(), _GONE_WITHIN)
        return {one: "killed" if one in running else "ended by itself" for one in left}

    async def _gone(self, keys: Iterable[_Key], within: float) -> bool:
        """Whether all of them end within these wall seconds."""
        until = self._clock.monotonic() + within
        waited_for = [key.identity for key in keys]
        while waited_for := [one for one in waited_for if one.alive()]:
            if self._clock.monotonic() >= until:
                return False
            await self._clock.sleep_wall(_LOOK_AGAIN)
        return True
