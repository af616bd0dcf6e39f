"""The game that makes a lost wake-up of the clock visible, at length: alone, and beside busy loops. An hour."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

from benchmarks.busy import LOOPS, busy
from benchmarks.figures import Figure
from tests.support.pingpong.game import play

RALLIES = 10_000


def measure() -> Iterator[Figure]:
    for where, beside in (("alone", nullcontext()), (f"beside {LOOPS} busy loops", busy())):
        with beside:
            game = play(RALLIES)
        seen = (
            f"{game['jumps']:,} jumps in {game['AWS seconds']:,.0f} AWS s and {game['wall seconds']:,.0f} s; "
            f"{game['legs']:,} legs and {game['pairs']:,} pairs looked at {game['false'] or ''}"
        )
        name = f"lost wake-ups in {RALLIES:,} rallies of three processes, {where}"
        yield Figure(name, sum(game["false"].values()), "", 0, beside=seen.rstrip())
