"""Performs a mix on a cloud: its strands side by side, its faults on time, and then the verdict of the checkers."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from ...awsclock.loop import run as run_loop
from ..backends.capability import lacking
from ..core.checkers import Finding, run_checkers
from ..core.clock import iso
from ..core.errors import Failed, InfraError
from ..core.history import Event
from ..core.verdict import Verdict, combined
from ..faults.fault import EffectNotSeen
from ..harness import Harness
from ..harness.checks import Checks
from ..harness.context import Context
from ..harness.steps import Steps
from ..runner.execute import RunContext
from ..runner.outcome import verdict_of
from .describe import described
from .mix import BARRIER, Mix, PlannedFault, label_of
from .play import Markers, Play
from .subject import Subject

Coverage = Counter[tuple[str, str, str]]


@dataclass(frozen=True)
class Judgement:
    """What the checkers say of one performance of a mix."""

    mix: Mix
    findings: tuple[tuple[str, Finding], ...]
    """The findings that are no pass, by the name of their checker."""
    coverage: Coverage = field(default_factory=Counter)
    scenario: str = ""
    """The scenario of the history with its events."""

    @property
    def verdict(self) -> Verdict:
        return combined([Verdict.PASS, *(finding.verdict for _, finding in self.findings)])

    @property
    def failed(self) -> bool:
        return self.verdict is Verdict.FAIL

    @property
    def failed_checkers(self) -> frozenset[str]:
        return frozenset(name for name, finding in self.findings if finding.verdict is Verdict.FAIL)

    def witness(self) -> tuple[str, ...]:
        """The shortest chain of events that shows a violation, one line each; empty without one."""
        shortest = min((finding.witness for _, finding in self.findings if finding.witness), key=len, default=())
        return tuple(map(_line, shortest))

    def text(self) -> str:
        """The findings, one paragraph each."""
        return "\n".join(f"{name}: {finding.message}" for name, finding in self.findings) or "every checker passes"


class MixFailed(AssertionError):
    """A checker found a violation in a performance."""

    def __init__(self, judged: Judgement, subject: Subject) -> None:
        super().__init__("\n".join([judged.text(), *described(judged.mix, subject), *judged.witness()]))
        self.judged = judged


class Stage:
    """Where mixes are performed: a cloud and a subject."""

    def __init__(self, run: RunContext, subject: Subject) -> None:
        self.run = run
        self.subject = subject
        self.markers = Markers()
        self._performed = 0

    def check(self, mix: Mix) -> None:
        """Perform a mix on an event loop of its own; for tests. Raises `MixFailed` with its steps and findings."""
        judged = run_loop(self.perform(mix))
        if judged.failed:
            raise MixFailed(judged, self.subject)

    async def perform(self, mix: Mix) -> Judgement:
        """Perform a mix and judge it. Raises `InfraError` when the cloud breaks, and leaves the cloud clean."""
        self._performed += 1
        scenario = f"mix {mix.id} #{self._performed}"
        since = len(self.run.history)
        async with self._harness(scenario) as harness:
            play = Play(mix, harness, self.markers)
            broken = await self._broken(play)
            findings = (*broken, *self._findings(scenario, since))
            judged = Judgement(mix, findings, play.coverage, scenario)
            if judged.verdict is not Verdict.PASS:
                with suppress(
                    Failed
                ):  # what breaks the contract may not be readable; the mixes after it have other names
                    await self.subject.clean(play)
        return judged

    async def _broken(self, play: Play) -> tuple[tuple[str, Finding], ...]:
        """Play it; a finding if it could not be played to its end. Raises `InfraError`."""
        try:
            await self._play(play)
        except Exception as error:
            verdict, message = verdict_of(error)
            if verdict is Verdict.INFRA:
                raise InfraError(message) from error
            return (("contract", Finding(verdict, message)),)
        return ()

    async def _play(self, play: Play) -> None:
        await self.subject.begin(play)
        barriers = _Barriers(play.mix)
        async with asyncio.TaskGroup() as group:
            for strand in range(len(play.mix.strands)):
                group.create_task(self._strand(play, strand, barriers), name=f"strand {strand}")
            for fault in play.mix.faults:
                group.create_task(self._fault(play, fault), name=fault.kind)
        if play.mix.faults:
            play.note("mix.healed", {})
        await self.subject.end(play)

    async def _strand(self, play: Play, strand: int, barriers: _Barriers) -> None:
        passed = 0
        for place, action in enumerate(play.mix.strands[strand].actions, 1):
            if action.after:
                await play.h.clock.sleep(action.after)
            if action.kind == BARRIER:
                if await barriers.wait(passed):
                    await self.subject.observe(play)
                await barriers.wait(passed)
                passed += 1
            else:
                play.met(action, await self.subject.state(play, strand))
                await self.subject.perform(play, strand, action, label_of(strand, place))

    async def _fault(self, play: Play, planned: PlannedFault) -> None:
        kind = self.subject.faults[planned.kind]
        if lacking(self.run.cloud.capabilities, kind.needs):
            return
        await play.h.clock.sleep(planned.at)
        fault = await kind.make(play.h, play.mix.seed)
        if fault is None:
            return
        try:
            async with play.h.fault(fault, wait=False):
                play.faults[planned.kind] += 1
                await play.h.clock.sleep(planned.lasts)
        except EffectNotSeen:
            pass  # it is in the history: a fault without an effect tests nothing, and breaks nothing
        finally:
            play.faults[planned.kind] -= 1

    def _findings(self, scenario: str, since: int) -> tuple[tuple[str, Finding], ...]:
        events = self.run.history.events(scenario, since=since)
        names = [check.__name__ for check in self.subject.checkers]
        judged = zip(names, run_checkers(events, self.subject.checkers), strict=True)
        return tuple((name, finding) for name, finding in judged if finding.verdict is not Verdict.PASS)

    @asynccontextmanager
    async def _harness(self, scenario: str) -> AsyncIterator[Harness]:
        run = self.run
        checks = Checks(run.history, run.evidence)
        context = Context(run.cloud, run.settings, run.history, checks, run.ids)
        harness = Harness(context, run.mailbox, Steps(run.cloud.clock, checks))
        with run.history.scenario(scenario):
            try:
                yield harness
                await harness.faults.undo_all()
            finally:
                await harness.close()


class _Barriers:
    """The barriers of a mix: the n-th one of every strand that has so many."""

    def __init__(self, mix: Mix) -> None:
        numbers = [sum(action.kind == BARRIER for action in strand.actions) for strand in mix.strands]
        self._barriers = [
            asyncio.Barrier(sum(number > at for number in numbers)) for at in range(max(numbers, default=0))
        ]

    async def wait(self, number: int) -> bool:
        """Wait for the others; True for one of them."""
        return await self._barriers[number].wait() == 0


def _line(event: Event) -> str:
    """An event of a witness: when, what, of whom, and what was seen."""
    about = " ".join(f"{name}={value}" for name, value in event.touches.items())
    value = f" {json.dumps(dict(event.value), default=str)[:300]}" if event.value else ""
    return f"#{event.index} {iso(event.aws)} {event.name} {event.type} {about}{value}"
