"""Which process is killed, by which way, and what counts as killed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.support.faults import place
from tests.support.kit import ManualClock, ScriptedAws, a_stack
from webordinary_testkit.kit.core.errors import NotSupported, UsageError
from webordinary_testkit.kit.core.ids import Ids
from webordinary_testkit.kit.ecs_exec import ExecError
from webordinary_testkit.kit.faults import KillProcess
from webordinary_testkit.kit.faults.context import FaultContext
from webordinary_testkit.kit.faults.exec_fault import KillEffect
from webordinary_testkit.kit.faults.kill_process import unasked
from webordinary_testkit.kit.faults.processes import KILL
from webordinary_testkit.kit.system.facts import System

VARIABLE = "ECS_CONTAINER_METADATA_URI_V4"
TASK = "arn:aws:ecs:us-west-2:123456789012:task/cluster/1"

IN_A_CONTAINER = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")
"""A process namespace as containers have it: what is run there is PID 1."""


@contextmanager
def container(name: str, program: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process as a container's main process is; it has written a line when this begins."""
    environment = {"PATH": os.environ["PATH"], VARIABLE: f"http://metadata/{name}"}
    process = subprocess.Popen(
        ["/bin/sh", "-c", program], env=environment, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


def kill_inside(name: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], VARIABLE: f"http://metadata/{name}"}
    return subprocess.run(
        ["/bin/sh", "-c", KILL], env=environment, capture_output=True, text=True, timeout=20, check=False
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="the script reads /proc, as in every Linux container")  # noqa: PTH112
class TestTheScript:
    def test_kills_the_main_process_and_not_its_children(self) -> None:
        with container("a", "sleep 300 & sleep 300 & echo up; wait; echo over") as main:
            answer = kill_inside("a")

            assert answer.stdout == f"killing {main.pid}\n", answer.stderr
            assert main.wait(5) == -9

    def test_leaves_other_containers_alone(self) -> None:
        with container("b", "echo up; exec sleep 300") as victim, container("bc", "echo up; exec sleep 300") as other:
            kill_inside("b")

            assert victim.wait(5) == -9
            assert other.poll() is None

    @pytest.mark.skipif(
        subprocess.call([*IN_A_CONTAINER, "true"], stderr=subprocess.DEVNULL) != 0, reason="no namespaces"
    )
    def test_in_a_container_of_its_own_spares_the_init_process_which_then_exits_137(self) -> None:
        init = 'setsid sleep 300 & setsid sh -c "$KILL"; wait $!; exit $?'
        environment = {"PATH": os.environ["PATH"], VARIABLE: "http://metadata/c", "KILL": KILL}
        answer = subprocess.run(
            [*IN_A_CONTAINER, "sh", "-c", init],
            env=environment,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )

        assert (answer.stdout, answer.returncode) == ("killing 2\n", 137), answer.stderr

    def test_says_that_there_is_nothing_to_kill(self) -> None:
        answer = kill_inside("nobody")
        assert (answer.returncode, answer.stdout) == (3, "no process but init runs here\n")

    def test_refuses_to_run_where_the_container_cannot_be_told(self) -> None:
        answer = subprocess.run(
            ["/bin/sh", "-c", KILL], env={"PATH": os.environ["PATH"]}, capture_output=True, check=False
        )
        assert answer.returncode != 0
        assert b"killing" not in answer.stdout


def a_fault_context(task: dict[str, Any], *, init: bool = True, run: Any = None) -> FaultContext:
    described = {"taskArn": TASK, "lastStatus": "RUNNING", "taskDefinitionArn": "d", "containers": [], **task}
    definition = {"containerDefinitions": [{"name": "edit", "linuxParameters": {"initProcessEnabled": init}}]}
    aws: Any = ScriptedAws(
        {
            ("ecs", "describe_tasks"): lambda **_: {"tasks": [described]},
            ("ecs", "describe_task_definition"): lambda **_: {"taskDefinition": definition},
        }
    )
    return FaultContext(aws, System(a_stack()), ManualClock(), Ids(1), run)


EDIT = {"containers": [{"name": "edit", "lastStatus": "RUNNING"}]}


class TestTheWay:
    async def test_without_exec_and_without_a_door_it_is_not_supported_and_says_what_would_help(self) -> None:
        with pytest.raises(NotSupported, match="cannot be killed from inside") as refused:
            await KillProcess(TASK).inject(a_fault_context(EDIT))
        assert "EnableExecuteCommand" in str(refused.value)

    async def test_without_an_init_process_exec_is_not_even_tried(self) -> None:
        with pytest.raises(NotSupported):
            await KillProcess(TASK).inject(a_fault_context({**EDIT, "enableExecuteCommand": True}, init=False))

    async def test_a_container_that_is_not_there_is_told_with_those_that_are(self) -> None:
        with pytest.raises(UsageError, match="has no container 'web'; it has edit"):
            await KillProcess(TASK, "web").inject(a_fault_context(EDIT))

    async def test_a_task_that_does_not_run_is_refused(self) -> None:
        with pytest.raises(UsageError, match="is STOPPED, not RUNNING"):
            await KillProcess(TASK).inject(a_fault_context({**EDIT, "lastStatus": "STOPPED"}))

    async def test_a_script_that_found_nothing_is_an_error(self) -> None:
        class Answer:
            output, exit_code = "no process but init runs here\n", 3

        async def run(*_: str) -> Answer:
            return Answer()

        with pytest.raises(UsageError, match=r"nothing was killed in edit .*: no process but init runs here"):
            await KillProcess(TASK).inject(a_fault_context({**EDIT, "enableExecuteCommand": True}, run=run))

    @pytest.mark.parametrize("definite", [True, False], ids=["did not run", "may have run"])
    async def test_a_script_that_broke_off_is_an_error_only_if_it_did_not_run(self, definite: bool) -> None:
        async def run(*_: str) -> Any:
            raise ExecError("the session ended", definite=definite)

        killing = KillProcess(TASK).inject(a_fault_context({**EDIT, "enableExecuteCommand": True}, run=run))
        if definite:
            with pytest.raises(UsageError, match=r"nothing was killed in edit .*: the session ended"):
                await killing
        else:
            await killing

    async def test_a_shell_that_dies_with_its_container_is_not_waited_for(self) -> None:
        task = {**EDIT, "enableExecuteCommand": True}
        context = a_fault_context(task)

        async def run(*_: str) -> Any:
            aws: Any = context.aws
            stopping = {"taskArn": TASK, "lastStatus": "STOPPING"}
            aws.answers = {("ecs", "describe_tasks"): lambda **_: {"tasks": [stopping]}}
            await asyncio.Event().wait()

        object.__setattr__(context, "run", run)
        async with asyncio.timeout(5):
            await KillProcess(TASK).inject(context)

    async def test_where_exec_is_off_the_emulated_cloud_kills_by_its_own_hand(self) -> None:
        async with place(execute_command=False) as p:
            async with p.nemesis.fault(KillProcess(await p.task())) as effect:
                pass
            assert effect.verified, effect.seen


class TestWhatCounts:
    @pytest.mark.parametrize(
        ("code", "why", "killed"),
        [
            (137, "EssentialContainerExited", True),
            (137, None, True),
            (137, "UserInitiated", False),
            (137, "ServiceSchedulerInitiated", False),
            (0, "EssentialContainerExited", False),
            (143, "EssentialContainerExited", False),
            (None, None, False),
        ],
    )
    async def test_is_exit_code_137_that_nobody_asked_for(
        self, code: int | None, why: str | None, killed: bool
    ) -> None:
        task: dict[str, Any] = {"containers": [{"name": "edit", "lastStatus": "STOPPED", "exitCode": code}]}
        if why:
            task["stopCode"] = why
        seen = await KillEffect(a_fault_context(task), TASK, "edit", unasked).verify()

        assert seen.effective is killed
        assert str(code) in seen.what
