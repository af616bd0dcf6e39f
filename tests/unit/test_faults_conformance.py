"""What every fault must do: one suite, run against each of them, on a cloud with a real service.

A case says how the fault is made, what shows it, what others have to do meanwhile, and how it is made to do nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import FrozenInstanceError, dataclass, fields
from inspect import iscoroutinefunction
from typing import Any

import pytest
import pytest_asyncio

from emulation.alb.links import Links
from emulation.ecs.process import _Process
from emulation.ecs.scheduler import Scheduler
from emulation.gateway.dispatch import Dispatch
from kit.errors import NotSupported, UsageError
from kit.faults import (
    ApiError,
    ApiLatency,
    CutFromAws,
    CutFromLoadBalancer,
    EffectNotSeen,
    Fault,
    KillProcess,
    PauseTask,
    Shows,
    StopTask,
    Throttle,
)
from kit.faults.nemesis import Nemesis
from tests.support.ecs import eventually
from tests.support.faults import Place, place

pytestmark = pytest.mark.asyncio(loop_scope="module")

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
    spoilt: tuple[type[Any], str]
    """The place where it takes hold: replaced by something that does nothing, it must come out as not effective."""
    after: str = ""
    """What is seen after its end; as before when empty."""


def _as_task(within: float = 2.0) -> Probe:
    return lambda p, task: p.call_as_task(task, within)


async def _get(p: Place, _: str) -> str:
    return await p.get()


async def _is_running(p: Place, task: str) -> str:
    return "runs" if await p.status(task) == "RUNNING" else "does not run"


async def _pace(p: Place, task: str) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await p.call_as_task(task) == "ok"
    return "slow" if loop.time() - began >= 0.5 else "fast"


CASES: dict[str, Case] = {
    "Throttle": Case(
        make=lambda _: Throttle("dynamodb", by="tasks"),
        probe=_as_task(),
        before="ok",
        during="ProvisionedThroughputExceededException",
        unknown=Throttle("dynamo"),
        complaint="botocore knows no service named 'dynamo'",
        spoilt=(Dispatch, "_intercept"),
    ),
    "ApiError": Case(
        make=lambda task: ApiError("dynamodb", "GetItem", by=task),
        probe=_as_task(),
        before="ok",
        during="InternalServerError",
        unknown=ApiError("dynamodb", "GetItems"),
        complaint="dynamodb has no operation named 'GetItems', did you mean 'GetItem'?",
        spoilt=(Dispatch, "_intercept"),
    ),
    "ApiLatency": Case(
        make=lambda _: ApiLatency("dynamodb", seconds=30.0, by="edit"),
        probe=_pace,
        before="fast",
        during="slow",
        unknown=ApiLatency("dynamodb", by="nobody"),
        complaint="by='nobody' names nobody",
        spoilt=(Dispatch, "_intercept"),
    ),
    "CutFromAws": Case(
        make=CutFromAws,
        probe=_as_task(0.3),
        before="ok",
        during="silent",
        unknown=CutFromAws(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Dispatch, "_intercept"),
    ),
    "CutFromAws, reset": Case(
        make=lambda task: CutFromAws(task, how="reset"),
        probe=_as_task(),
        before="ok",
        during="reset",
        unknown=CutFromAws(NOBODY, how="reset"),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Dispatch, "_intercept"),
    ),
    "CutFromLoadBalancer": Case(
        make=CutFromLoadBalancer,
        probe=_get,
        before="200",
        during="504",
        unknown=CutFromLoadBalancer("127.0.0.1:1"),
        complaint="127.0.0.1:1 is no target of the stack's load balancer",
        spoilt=(Links, "reach"),
    ),
    "CutFromLoadBalancer, refuse": Case(
        make=lambda task: CutFromLoadBalancer(task, how="refuse"),
        probe=_get,
        before="200",
        during="502",
        unknown=CutFromLoadBalancer(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Links, "reach"),
    ),
    "PauseTask": Case(
        make=PauseTask,
        probe=lambda p, task: p.ask(task),
        before="answers",
        during="silent",
        unknown=PauseTask(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(_Process, "pause"),
    ),
    "KillProcess": Case(
        make=KillProcess,
        probe=_is_running,
        before="runs",
        during="does not run",
        unknown=KillProcess(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(_Process, "terminal"),
        after="does not run",
    ),
    "StopTask": Case(
        make=StopTask,
        probe=_is_running,
        before="runs",
        during="does not run",
        unknown=StopTask(NOBODY),
        complaint=f"there is no task {NOBODY}",
        spoilt=(Scheduler, "stop_task"),
        after="does not run",
    ),
}

every_fault = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def a_place() -> AsyncIterator[Place]:
    async with place() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def p(a_place: Place) -> Place:
    """The same cloud for all, with a healthy task and a nemesis of the test's own."""
    await a_place.task()
    return Place(
        a_place.cloud,
        a_place.aws,
        a_place.site,
        Nemesis(a_place.site, a_place.history, a_place.nemesis._capabilities),
        a_place.history,
        a_place.url,
    )


@every_fault
async def test_changes_what_is_seen_and_undoing_it_restores_that(p: Place, case: Case) -> None:
    task = await p.task()
    before = await case.probe(p, task)
    async with p.nemesis.fault(case.make(task)):
        during = await case.probe(p, task)
    after = await case.probe(p, task)

    assert (before, during, after) == (case.before, case.during, case.after or case.before)


@every_fault
async def test_is_verified_once_its_effect_is_there(p: Place, case: Case) -> None:
    task = await p.task()
    async with p.nemesis.fault(case.make(task)) as effect:
        await case.probe(p, task)

    assert effect.verified, effect.seen


@every_fault
async def test_is_not_verified_when_it_does_nothing(p: Place, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    task = await p.task()
    fault = case.make(task)
    monkeypatch.setattr(*case.spoilt, _nothing_later if iscoroutinefunction(getattr(*case.spoilt)) else _nothing)
    async with p.nemesis.fault(fault, wait=False) as effect:
        await case.probe(p, task)
        with pytest.raises(EffectNotSeen, match="had no effect that could be seen within 0 AWS s"):
            await effect.until_seen(within=0)
        monkeypatch.undo()

    assert effect.undone


def _nothing(*_: Any, **__: Any) -> None:
    return None


async def _nothing_later(*_: Any, **__: Any) -> None:
    return None


@every_fault
async def test_undoing_it_twice_is_harmless(p: Place, case: Case) -> None:
    task = await p.task()
    async with p.nemesis.fault(case.make(task)) as effect:
        await effect.undo()
        await effect.undo()
    assert effect._effect is not None
    await effect._effect.undo()

    assert effect.undone
    assert await case.probe(p, task) == (case.after or case.before)


@every_fault
@pytest.mark.parametrize("how", ["cancelled", "failed"])
async def test_a_block_that_is_broken_off_undoes_it(p: Place, case: Case, how: str) -> None:
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


@every_fault
async def test_an_unknown_target_is_refused_in_one_sentence(p: Place, case: Case) -> None:
    with pytest.raises(UsageError) as refused:
        async with p.nemesis.fault(case.unknown):
            pass

    assert case.complaint in str(refused.value)


@every_fault
async def test_a_cloud_without_the_capability_is_told_so_before_anything_happens(p: Place, case: Case) -> None:
    task = await p.task()
    nemesis = Nemesis(p.site, p.history, {})
    with pytest.raises(NotSupported, match=r"this cloud cannot do \w+: it has no fault_"):
        async with nemesis.fault(case.make(task)):
            pass

    assert not nemesis.injected
    assert await case.probe(p, task) == case.before


@every_fault
async def test_is_a_value(case: Case) -> None:
    fault = case.make(NOBODY)

    assert fault == case.make(NOBODY)
    assert hash(fault) == hash(case.make(NOBODY))
    with pytest.raises(FrozenInstanceError):
        setattr(fault, fields(fault)[0].name, "other")  # type: ignore[arg-type]  # a dataclass, which Fault cannot say


@every_fault
async def test_says_when_it_shows_and_how_soon(case: Case) -> None:
    fault = case.make(NOBODY)

    assert isinstance(fault.shows, Shows)
    assert 0 < fault.within <= 300
    assert fault.needs
