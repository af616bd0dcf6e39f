"""Every fault does what a fault must do, where tasks are processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import ClassVar

import pytest
import pytest_asyncio

from tests.support.fault_cases import EVERYWHERE, of_processes
from tests.support.fault_conformance import FaultConformance
from tests.support.faults import Place, place
from webordinary_testkit.emulation.services.ecs.process import _Process
from webordinary_testkit.kit.faults.nemesis import Nemesis

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def a_place() -> AsyncIterator[Place]:
    async with place() as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def p(a_place: Place) -> Place:
    """The same cloud for all, with a healthy task and a nemesis of the test's own."""
    await a_place.task()
    nemesis = Nemesis(a_place.context, a_place.history, a_place.nemesis._capabilities)
    return replace(a_place, nemesis=nemesis)


class TestProcesses(FaultConformance):
    cases: ClassVar = {**EVERYWHERE, **of_processes(_Process)}
