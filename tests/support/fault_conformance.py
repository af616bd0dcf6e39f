"""What every fault must do: one suite, run against each of them, on a cloud with a real service.

A case says how the fault is made, what shows it, what others have to do meanwhile, and how it is made to do nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import FrozenInstanceError, dataclass, fields
from inspect import iscoroutinefunction
from typing import Any, ClassVar

import pytest

from tests.support.ecs import eventually
from tests.support.faults import CLUSTER, SERVICE, Place
from webordinary_testkit.kit.core.errors import NotSupported, UsageError
from webordinary_testkit.kit.faults import CrashAtStart, EffectNotSeen, Fault, MissingImage, Visibility
from webordinary_testkit.kit.faults.nemesis import Nemesis

NOBODY = "arn:aws:ecs:us-west-2:123456789012:task/cluster/00000000000000000000000000000000"
Probe = Callable[[Place, str], Awaitable[str]]


@dataclass(frozen=True)
class Case:
    make: Callable[[str], Fault]
    """From a task's ARN."""
    probe: Probe
    """What is seen from outside, of this task."""
    before: str
    during: str
    unknown: Fault
    """The same for what is not there."""
    complaint: str
    """What is said of it then."""
    spoilt: tuple[Any, str]
    """The place where it takes hold: replaced by something that does nothing, it must come out as not effective."""
    after: str = ""
    """What is seen after its end; as before when empty."""


class FaultConformance:
    """Subclasses say which `cases` there are, and have a module with the fixture `p`: a `Place` with a healthy task and
    a nemesis of the test's own."""

    cases: ClassVar[Mapping[str, Case]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases.values(), ids=self.cases.keys())

    async def test_changes_what_is_seen_and_undoing_it_restores_that(self, p: Place, case: Case) -> None:
        task = await p.task()
        before = await case.probe(p, task)
        async with p.nemesis.fault(case.make(task)):
            during = await case.probe(p, task)
        after = await case.probe(p, task)

        assert (before, during, after) == (case.before, case.during, case.after or case.before)

    async def test_is_verified_once_its_effect_is_there(self, p: Place, case: Case) -> None:
        task = await p.task()
        async with p.nemesis.fault(case.make(task)) as effect:
            await case.probe(p, task)

        assert effect.verified, effect.seen

    async def test_is_not_verified_when_it_does_nothing(
        self, p: Place, case: Case, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = await p.task()
        fault = case.make(task)
        monkeypatch.setattr(*case.spoilt, _nothing_later if iscoroutinefunction(getattr(*case.spoilt)) else _nothing)
        async with p.nemesis.fault(fault, wait=False) as effect:
            await case.probe(p, task)
            with pytest.raises(EffectNotSeen, match="had no visible effect within 0 AWS s"):
                await effect.until_seen(within=0)
            monkeypatch.undo()
            await effect.undo()  # the end of the block would look for the effect for as long as the fault may take

        assert not effect.verified
        assert effect.undone

    async def test_undoing_it_twice_is_harmless(self, p: Place, case: Case) -> None:
        task = await p.task()
        async with p.nemesis.fault(case.make(task)) as effect:
            await effect.undo()
            await effect.undo()
        assert effect._effect is not None
        await effect._effect.undo()

        assert effect.undone
        assert await case.probe(p, task) == (case.after or case.before)

    @pytest.mark.parametrize("how", ["cancelled", "failed"])
    async def test_a_block_that_is_broken_off_undoes_it(self, p: Place, case: Case, how: str) -> None:
        task = await p.task()
        inside = asyncio.Event()

        async def suffer() -> None:
            async with p.nemesis.fault(case.make(task), wait=False):
                inside.set()
                if how == "failed":
                    raise AssertionError("the scenario failed")
                await asyncio.Event().wait()

        suffering = asyncio.create_task(suffer())
        await inside.wait()
        suffering.cancel()
        with pytest.raises((AssertionError, asyncio.CancelledError)):
            await suffering

        if case.after:

            async def replaced() -> bool:
                return await p.task() != task

            assert await eventually(replaced, within=20)  # its service puts another in its place
        else:
            assert await case.probe(p, task) == case.before

    async def test_an_unknown_target_is_refused_in_one_sentence(self, p: Place, case: Case) -> None:
        with pytest.raises(UsageError) as refused:
            async with p.nemesis.fault(case.unknown):
                pass

        assert case.complaint in str(refused.value)

    async def test_a_cloud_without_the_capability_is_told_so_before_anything_happens(
        self, p: Place, case: Case
    ) -> None:
        task = await p.task()
        nemesis = Nemesis(p.context, p.history, {})
        with pytest.raises(NotSupported, match=r"this cloud cannot do \w+: it has no fault_"):
            async with nemesis.fault(case.make(task)):
                pass

        assert not nemesis.injected
        assert await case.probe(p, task) == case.before

    @pytest.mark.parametrize(
        "fault", [MissingImage("edit"), CrashAtStart("edit")], ids=lambda fault: type(fault).__name__
    )
    async def test_a_service_that_cannot_start_tasks_is_throttled_and_says_so(self, p: Place, fault: Fault) -> None:
        async def throttled() -> list[str]:
            answer = await p.aws.call("ecs", "describe_services", cluster=CLUSTER, services=[SERVICE])
            since = (event for event in answer["services"][0]["events"] if event["createdAt"].timestamp() >= began)
            return [event["message"] for event in since if "unable to consistently start tasks" in event["message"]]

        began = p.context.clock.now()
        async with p.nemesis.fault(fault) as effect:
            said = await eventually(throttled, within=30)
        assert said == [
            f"(service {SERVICE}) is unable to consistently start tasks successfully. For more information, see the "
            "Troubleshooting section."
        ]
        assert effect.verified, effect.seen
        assert await p.task()

    async def test_is_a_value(self, case: Case) -> None:
        fault = case.make(NOBODY)

        assert fault == case.make(NOBODY)
        assert hash(fault) == hash(case.make(NOBODY))
        with pytest.raises(FrozenInstanceError):
            setattr(fault, fields(fault)[0].name, "other")  # type: ignore[arg-type]  # a dataclass, which Fault cannot say

    async def test_says_when_it_shows_and_how_soon(self, case: Case) -> None:
        fault = case.make(NOBODY)

        assert isinstance(fault.visibility, Visibility)
        assert 0 < fault.within <= 300
        assert fault.needs


def _nothing(*_: Any, **__: Any) -> None:
    return None


async def _nothing_later(*_: Any, **__: Any) -> None:
    return None
