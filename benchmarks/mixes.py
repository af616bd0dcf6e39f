"""Session mixes: how fast they are performed and judged, and how soon a defect is found and made small."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure
from tests.support.mixes import sound
from webordinary_testkit.awsclock.loop import run as run_loop
from webordinary_testkit.kit.core.history import Event
from webordinary_testkit.kit.mixes import Action, Mix, Person, Strand
from webordinary_testkit.kit.mixes.checkers import CHECKERS
from webordinary_testkit.kit.mixes.performance import Stage
from webordinary_testkit.kit.mixes.webordinary import Webordinary
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.settings import load

_EVENTS = 100_000
_ROUNDS = 10
_EIGHT = tuple(map(Action, ("mail", "visit", "mail", "visit")))
"""Of two people at once: eight actions, four of them mails."""


def measure() -> list[Figure]:
    return [_checkers(), _examples()]


def _checkers() -> Figure:
    events = _history()
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        for check in CHECKERS:
            check(events)
        seconds.append(time.perf_counter() - began)
    name = f"all checkers of mixes, {len(events):,} events"
    return Figure(name, statistics.median(seconds), "s", target=2.0)


def _history() -> Sequence[Event]:
    """A sound history of many sessions, as long as asked for."""
    rounds = _EVENTS // 12
    recorder, _ = sound(1, sessions=200, rounds=rounds)
    return recorder.events()[:_EVENTS]


def _examples() -> Figure:
    with tempfile.TemporaryDirectory() as folder:
        seconds = run_loop(_perform(Path(folder)))
    rate = 1 / statistics.median(seconds)
    return Figure("session mixes of 8 actions, warm", rate, "/s", target=2.0, at_least=True)


async def _perform(folder: Path) -> list[float]:
    """Wall seconds of each performance but the first, which finds both services at zero."""
    run = Run(load({"report_dir": str(folder)}))
    await run.start()
    try:
        stage = Stage(run.context(), Webordinary())
        mix = Mix((Person("acme", "john"), Person("beta", "ann")), (Strand(0, _EIGHT), Strand(1, _EIGHT)))
        seconds = []
        for _ in range(1 + _ROUNDS):
            began = time.perf_counter()
            judged = await stage.perform(mix)
            seconds.append(time.perf_counter() - began)
            if judged.failed:
                raise RuntimeError(judged.text())
            await asyncio.sleep(0)
        return seconds[1:]
    finally:
        await run.stop()
