"""Readiness: four looks, none concluded from another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from tests.support.kit import START, a_context
from webordinary_testkit.kit.core.errors import CheckFailed, WaitExpired
from webordinary_testkit.kit.harness import phases
from webordinary_testkit.kit.harness.context import Context
from webordinary_testkit.kit.harness.files import Files
from webordinary_testkit.kit.harness.http import Answer
from webordinary_testkit.kit.harness.preview import Preview
from webordinary_testkit.kit.harness.readiness import Readiness
from webordinary_testkit.kit.harness.services import Services, Target
from webordinary_testkit.kit.harness.sessions import TestSession

SESSION = TestSession("TEST_1", "c", "u@x", "http://alb.test/session/TEST_1", "mark")
LISTENING = "   5: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\r\n"


@dataclass
class Output:
    output: str
    exit_code: int
    seconds: float = 0.1


@dataclass
class World:
    """What there is of an edit container."""

    containers: tuple[str, ...] = ("RUNNING",)
    listening: str | None = LISTENING
    target: str = "healthy"
    page: tuple[int, str] = (200, "<p>mark</p>")

    async def tasks(self, service: str) -> list[dict[str, Any]]:
        return [{"containers": [{"lastStatus": status}]} for status in self.containers]

    async def targets(self, service: str) -> list[Target]:
        return [Target("10.0.0.1", 8080, self.target, "")]

    async def run(self, command: str) -> Output:
        if self.listening is None:
            raise LookupError("service edit has no running task")
        return Output(self.listening, 0 if self.listening else 1)

    async def fetch(self, session: TestSession, page: str) -> Answer:
        return Answer("http://alb.test/x", self.page[0], {}, self.page[1], START)

    def readiness(self, context: Context | None = None) -> Readiness:
        return Readiness(context or a_context(), cast(Files, self), cast(Preview, self), cast(Services, self))


ALL = {
    phases.PROCESS_ALIVE: True,
    phases.PORT_OPEN: True,
    phases.TARGET_HEALTHY: True,
    phases.PAGE_SERVED: True,
}


async def test_a_container_that_is_up_shows_all_four() -> None:
    await World().readiness().verify(SESSION, "page", ALL)


@pytest.mark.parametrize(
    ("phase", "world", "seen"),
    [
        (phases.PROCESS_ALIVE, World(containers=("PENDING",)), "containers: PENDING"),
        (phases.PROCESS_ALIVE, World(containers=()), "containers: none"),
        (phases.PORT_OPEN, World(listening=""), "listening at nothing"),
        (phases.PORT_OPEN, World(listening=None), "no running task"),
        (phases.TARGET_HEALTHY, World(target="initial"), "initial"),
        (phases.PAGE_SERVED, World(page=(503, "mark")), "503, marker there"),
        (phases.PAGE_SERVED, World(page=(200, "another's")), "200, marker absent"),
    ],
)
async def test_what_is_lacking_is_lacking_alone_and_is_shown(phase: str, world: World, seen: str) -> None:
    await world.readiness().verify(SESSION, "page", ALL | {phase: False})
    with pytest.raises(CheckFailed, match=seen):
        await world.readiness().verify(SESSION, "page", {phase: True})


async def test_each_first_sight_is_a_phase() -> None:
    context = a_context()
    await World().readiness(context).observe(SESSION, "page", within=10)
    assert {phase.name for phase in context.timeline.phases} == set(ALL)


async def test_one_that_never_comes_does_not_hide_the_others() -> None:
    context = a_context()
    with pytest.raises(WaitExpired, match="page served") as failed:
        await World(page=(404, "")).readiness(context).observe(SESSION, "page", within=10)
    assert "last seen: 404, marker absent" in str(failed.value)
    assert context.timeline.at(phases.TARGET_HEALTHY) is not None
    assert context.timeline.at(phases.PAGE_SERVED) is None


async def test_a_container_that_comes_up_meanwhile_is_noticed_sign_by_sign() -> None:
    context = a_context()
    world = World(containers=(), listening=None, target="initial")
    readiness = world.readiness(context)
    async with readiness.sampling():
        await context.clock.sleep(20)
        assert context.timeline.phases == []
        world.containers = ("RUNNING",)
        await context.clock.sleep(20)
        assert [phase.name for phase in context.timeline.phases] == [phases.PROCESS_ALIVE]
        world.listening = LISTENING
        await context.clock.sleep(20)
    assert [phase.name for phase in context.timeline.phases] == [phases.PROCESS_ALIVE, phases.PORT_OPEN]


@pytest.mark.parametrize(
    ("world", "seen"),
    [
        (World(listening=None, target="initial"), "no process alive"),
        (World(containers=(), target="initial"), "no port open"),
        (World(containers=(), listening=None), "no target healthy"),
    ],
)
async def test_any_sign_of_a_container_is_one_too_many_at_zero(world: World, seen: str) -> None:
    with pytest.raises(CheckFailed, match=seen):
        await world.readiness().verify_no_container()
    await World(containers=(), listening=None, target="initial").readiness().verify_no_container()
