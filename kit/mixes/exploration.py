"""An exploration as users run it: a cloud, a journal, files of what failed, and its place in the run's report."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..core.errors import UsageError
from ..core.measurement import Duration
from ..core.verdict import Verdict, combined
from ..runner.outcome import Outcome
from ..runner.run import Run
from . import kept as files
from .coverage import share, to_json
from .explore import Budget, Explored, Explorer, Perform, Progress, StoppedError
from .journal import Journal
from .mix import Mix
from .performance import Judgement, Stage
from .registry import subject_of
from .strategies import Space, mixes
from .subject import Subject

JOURNAL = "exploration.jsonl"


def _silent(number: int, judged: Judgement, shrinking: bool) -> None: ...


async def explore(
    run: Run, space: Space, budget: Budget, seed: int, *, goes_on: bool = False, progress: Progress = _silent
) -> Explored:
    """Explore on a started run. What fails is written to the folder `mixes`, and the run's report has the verdict.

    Raises `UsageError` when there is no exploration to go on with, `InfraError` when the cloud breaks.
    """
    subject = subject_of(run.settings)
    stage = Stage(run.context(), subject)
    folder = run.settings.report_dir / files.FOLDER
    journal = Journal(folder / JOURNAL, seed, goes_on=goes_on)
    try:
        strategy = mixes(subject, space, capabilities=stage.run.cloud.capabilities)
        with _performing(stage) as perform:
            explorer = Explorer(perform, subject, journal, budget, progress)
            explored = await asyncio.to_thread(explorer.explore, strategy)
    finally:
        journal.close()
    if explored.kept is not None:
        found = {**explored.kept.found, "run": run.id}
        explored.kept = replace(explored.kept, found=found)
        explored.file = files.write(explored.kept, folder)
    explored.coverage = journal.coverage
    faults = subject.faults if space.faults else {}
    run.report.about["mixes"] = {
        "seed": journal.seed,
        "examples": explored.examples,
        "seconds": round(explored.seconds, 1),
        "covered": round(share(journal.coverage, subject.kinds, faults), 3),
        "coverage": to_json(journal.coverage),
    }
    run.add(_outcome(explored))
    return explored


async def minimise(run: Run, kept: files.Kept, seconds: float, progress: Progress = _silent) -> files.Kept | None:
    """Make a kept mix smaller on a started run, for so many wall seconds; None if it does not fail any more."""
    subject = subject_of(run.settings)
    stage = Stage(run.context(), subject)
    first = await stage.perform(kept.mix)
    run.add(Outcome(f"mix {kept.mix.id}", first.verdict, message=first.text() if first.failed else "", asserted=1))
    if not first.failed:
        return None
    folder = run.settings.report_dir / files.FOLDER
    journal = Journal(folder / "minimised.jsonl", int(kept.found.get("seed", 0)))
    try:
        with _performing(stage) as perform:
            explorer = Explorer(perform, subject, journal, Budget(shrinking=seconds), progress)
            smaller = await asyncio.to_thread(explorer.shrink, first)
    finally:
        journal.close()
    files.write(smaller, folder)
    return smaller


async def replay(run: Run, kept: files.Kept, times: int) -> tuple[list[Judgement], Subject]:
    """Perform a kept mix on a started run; the run's report has the verdict. Returns the subject too."""
    subject = subject_of(run.settings)
    stage = Stage(run.context(), subject)
    unknown = [action.kind for _, _, action in kept.mix.actions() if action.kind not in subject.kinds]
    unknown += [fault.kind for fault in kept.mix.faults if fault.kind not in subject.faults]
    if unknown:
        raise UsageError(
            f"the mix has {', '.join(sorted(set(unknown)))}, which {type(subject).__name__} cannot do",
            next="set subject to the system that the mix was made for",
        )
    judgements = [await stage.perform(kept.mix) for _ in range(times)]
    verdict = combined(judged.verdict for judged in judgements)
    message = "\n".join(dict.fromkeys(judged.text() for judged in judgements if judged.verdict is not Verdict.PASS))
    run.add(Outcome(f"mix {kept.mix.id}", verdict, message=message, asserted=times))
    return judgements, subject


def _outcome(explored: Explored) -> Outcome:
    if explored.kept is None:
        verdict = Verdict.UNKNOWN if explored.unknown or not explored.examples else Verdict.PASS
        about = "; ".join(judged.text() for judged in explored.unknown[:3])
        return Outcome("mixes", verdict, message=about, asserted=explored.examples)
    kept = explored.kept
    found = [f"{name}: {message}" for name, message in kept.findings.items()]
    size = f"found after {explored.first} mixes; made smaller from {kept.found['size']} to {kept.mix.size} actions"
    rate = f"repeated, it failed {kept.failed} of {kept.repeated} times"
    message = "\n".join([*found, size, rate, f"next: kit replay {explored.file}"])
    measured = Duration(explored.seconds, explored.seconds)
    return Outcome("mixes", Verdict.FAIL, message=message, asserted=explored.examples, measured=measured)


@contextmanager
def _performing(stage: Stage) -> Iterator[Perform]:
    """A function that performs a mix from another thread, where Hypothesis runs; when the block is left, it stops."""
    loop = asyncio.get_running_loop()
    under_way: set[concurrent.futures.Future[Judgement]] = set()
    stopped = False

    def perform(mix: Mix) -> Judgement:
        if stopped:
            raise StoppedError
        future = asyncio.run_coroutine_threadsafe(stage.perform(mix), loop)
        under_way.add(future)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise StoppedError from None
        finally:
            under_way.discard(future)

    try:
        yield perform
    finally:
        stopped = True
        for future in list(under_way):
            future.cancel()
