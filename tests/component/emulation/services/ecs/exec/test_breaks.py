"""ECS Exec on broken connections: a command runs at most once, and its result is never guessed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.ecs import eventually
from tests.support.exec import TASK, FakeContainer, Network, agent
from tests.support.kit import a_context
from webordinary_testkit.kit.core.history import FAIL, INFO, INVOKE, OK, Event
from webordinary_testkit.kit.ecs_exec import EcsExec, ExecError, ExecResult
from webordinary_testkit.kit.harness.files import Files

LINES = "for i in 1 2 3 4 5 6 7 8; do echo line $i; done"
WHOLE = "\n".join(f"line {i}" for i in range(1, 9))
BREAKS_OFF = "echo ran >>runs; echo half; kill -9 $$"
"""The session ends with the shell, before its end mark."""


@pytest.fixture
def machine(tmp_path: Path) -> FakeContainer:
    return FakeContainer(tmp_path)


def runs(folder: Path) -> int:
    """How often the command was run that notes it."""
    noted = folder / "runs"
    return len(noted.read_text().splitlines()) if noted.exists() else 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    network=st.builds(
        Network,
        seed=st.integers(0, 2**32),
        loss=st.sampled_from((0.0, 0.0, 0.2)),
        closes_after=st.integers(0, 30),
        orderly=st.booleans(),
        closes=st.sampled_from((1, 1_000_000)),
        passed=st.builds(list),
    ),
    shakes_hands=st.booleans(),
)
def test_a_connection_that_closes_gives_a_whole_result_or_a_clear_error(
    tmp_path: Path, network: Network, shakes_hands: bool
) -> None:
    (tmp_path / "runs").unlink(missing_ok=True)

    async def one() -> ExecResult | ExecError:
        async with (
            agent(FakeContainer(tmp_path), shakes_hands=shakes_hands) as ecs,
            network.between(ecs),
            asyncio.timeout(25),
        ):
            try:
                return await EcsExec(ecs, "c").run(TASK, f"echo ran >>runs; {LINES}", within=15)
            except ExecError as error:
                return error

    seen = asyncio.run(one())
    end_passed = any(b":E:" in message.payload for whose, message in network.passed if whose == "agent")
    assert runs(tmp_path) <= 1
    if isinstance(seen, ExecResult):
        assert (seen.output, seen.exit_code, end_passed) == (WHOLE, 0, True)
        assert len(seen.broken) == seen.attempts - 1
    elif seen.definite:
        assert runs(tmp_path) == 0
        assert seen.attempts == 3
        assert "It did not run." in str(seen)
    else:
        assert WHOLE.startswith(seen.output.partition("\n\n")[0].strip())
        assert "is not sent again" in str(seen)
        assert "Received so far: " in str(seen)


@pytest.mark.parametrize("orderly", [True, False], ids=["orderly", "abruptly"])
async def test_a_break_before_the_command_was_let_run_is_mended_by_a_new_session(
    machine: FakeContainer, orderly: bool
) -> None:
    network = Network(shuffles=False, closes_after=0, orderly=orderly, closes=2)
    async with agent(machine) as ecs, network.between(ecs):
        result = await EcsExec(ecs, "c").run(TASK, "echo ran >>runs; cat runs")
    assert (result.output, result.attempts, len(result.broken)) == ("ran", 3, 2)


async def test_a_command_that_was_begun_is_not_run_again(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        with pytest.raises(
            ExecError, match=r"session ended.*Received so far: 'half'.*It started.*not sent again"
        ) as it:
            await EcsExec(ecs, "c").run(TASK, BREAKS_OFF)
    assert (it.value.output, it.value.attempts, it.value.definite) == ("half", 1, False)
    assert (machine.started, runs(machine.folder)) == (1, 1)


async def test_a_command_that_takes_too_long_is_reported_with_what_it_said(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        with pytest.raises(ExecError, match=r"within 0.7 s.*Received so far: 'half'.*It started") as it:
            await EcsExec(ecs, "c").run(TASK, "echo half; cat", within=0.7)
    assert not it.value.definite


async def test_a_command_that_waits_behind_another_says_that_it_did_not_run(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        exec_ = EcsExec(ecs, "c")

        async def begun() -> bool:
            return machine.started > 0

        first = asyncio.create_task(exec_.run(TASK, "cat", within=3))
        await eventually(begun)
        with pytest.raises(ExecError, match=r"another one held the task.*It did not run") as it:
            await exec_.run(TASK, "echo ran >>runs", within=0.2)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert it.value.definite
    assert (it.value.attempts, runs(machine.folder)) == (0, 0)


class TestTheHistory:
    async def test_tells_a_command_that_took_three_sessions(self, machine: FakeContainer) -> None:
        done = await recorded(machine, "echo fine", Network(closes_after=0, closes=2))

        assert (done.type, done.value["attempts"], len(done.value["broken"])) == (OK, 3, 2)

    async def test_leaves_open_what_became_of_a_command_that_was_begun(self, machine: FakeContainer) -> None:
        done = await recorded(machine, BREAKS_OFF, Network(shuffles=False))

        assert (done.type, done.value) == (INFO, {"attempts": 1, "output": "half"})

    async def test_knows_that_a_command_without_a_session_did_not_run(self, machine: FakeContainer) -> None:
        done = await recorded(machine, "echo ran >>runs", Network(closes_after=0))

        assert (done.type, done.value["attempts"], len(done.value["broken"])) == (FAIL, 3, 2)
        assert runs(machine.folder) == 0


async def recorded(machine: FakeContainer, command: str, network: Network) -> Event:
    """How the history ends the operation of a command."""
    context = a_context()
    no_services: Any = None
    files = Files(context, no_services)
    async with agent(machine) as ecs, network.between(ecs):
        files._exec = EcsExec(ecs, "c")
        with suppress(ExecError):
            await files.run_in(TASK, "edit", command)
    return context.history.events()[-1]


async def test_a_look_at_a_file_that_was_broken_off_is_made_again_and_both_are_in_the_history(
    machine: FakeContainer,
) -> None:
    context = a_context()
    no_services: Any = None
    files = Files(context, no_services)
    async with agent(machine) as ecs:
        files._exec = BreaksOnce(EcsExec(ecs, "c"))
        files._running = lambda service: answered(TASK)  # type: ignore[method-assign]  # there is no stack
        result = await files.verify_exists("$WORKSPACE_PATH/page.astro")
    ends = [event for event in context.history.events() if event.name == "exec" and event.type != INVOKE]
    assert result.output == "EXISTS"
    assert [event.type for event in ends] == [INFO, OK]


async def answered(value: str) -> str:
    return value


class BreaksOnce:
    """Runs the first command so that its session breaks off."""

    def __init__(self, exec_: EcsExec) -> None:
        self._exec = exec_
        self._broken = False

    async def run(self, task_arn: str, command: str, *, container: str | None = None, within: float = 5) -> ExecResult:
        first, self._broken = not self._broken, True
        command = "kill -9 $$" if first else command.replace('test -f "$WORKSPACE_PATH/page.astro"', "true")
        return await self._exec.run(task_arn, command, container=container, within=within)
