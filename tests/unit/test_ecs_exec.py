"""ECS Exec, client against agent, over real sockets and real pseudo-terminals."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType, web
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulation.clock import Clock
from emulation.controller import Call, Caller
from emulation.ecs.exec import ExecApi, LocalTerminal, Target, Terminal
from emulation.ecs.exec.session import chunks
from emulation.errors import AwsError
from emulation.ids import Ids
from kit.ecs_exec import EcsExec, ExecError
from kit.ecs_exec.channel import ChannelError, open_channel, signed_headers

TASK = "arn:aws:ecs:us-west-2:123456789012:task/c/0123"
RUNNING = {"desiredStatus": "RUNNING", "lastStatus": "RUNNING", "enableExecuteCommand": True}


@dataclass
class Machine:
    """One "container": a folder and an environment."""

    folder: Path
    not_connected: int = 0
    marker: str = ""
    task: dict[str, Any] | None = field(default_factory=lambda: dict(RUNNING))
    """What DescribeTasks tells of the task; None when there is none."""

    def exec_target(self, cluster: str | None, task: str, container: str | None) -> Target:
        if self.not_connected > 0:
            self.not_connected -= 1
            raise AwsError("TargetNotConnectedException", "The execute command failed: the target is not connected.")
        return Target("arn:c", task, "arn:container", container or "edit", self._start)

    async def _start(self, argv: Sequence[str]) -> Terminal:
        environment = {"PATH": os.environ["PATH"], "MARKER": self.marker}
        return await LocalTerminal.start(argv, environment=environment, directory=self.folder)


@dataclass
class Ecs:
    """As much of a boto3 ECS client as the exec client uses, wired straight to the handler."""

    api: ExecApi
    loop: asyncio.AbstractEventLoop
    through: str | None = None
    meta: Any = None
    machine: Machine | None = None

    def describe_tasks(self, cluster: str, tasks: list[str]) -> dict[str, Any]:
        assert self.machine is not None
        if self.machine.task is None:
            return {"tasks": [], "failures": [{"arn": tasks[0], "reason": "MISSING"}]}
        return {"tasks": [self.machine.task], "failures": []}

    def execute_command(self, **params: Any) -> dict[str, Any]:
        call = Call("ecs", "ExecuteCommand", params, Caller("external", "x"), "us-west-2", "123456789012", "r")
        handler = self.api.handlers()["ecs", "ExecuteCommand"]
        try:
            answer = asyncio.run_coroutine_threadsafe(handler(call), self.loop).result(10)
        except AwsError as error:
            raise ClientError({"Error": {"Code": error.code, "Message": error.message}}, "ExecuteCommand") from error
        if self.through:
            stream = answer["session"]["streamUrl"]
            answer["session"]["streamUrl"] = self.through + stream[stream.index("/v1/") :]
        return answer


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def agent(machine: Machine) -> AsyncIterator[Ecs]:
    where: list[str] = []
    ctx: Any = SimpleNamespace(clock=Clock(), ids=Ids(), endpoint=lambda: where[0])
    api = ExecApi(ctx, machine)
    app = web.Application()
    app.router.add_routes(api.web_routes())
    async with served(app) as url:
        where.append(url)
        yield Ecs(api, asyncio.get_running_loop(), meta=SimpleNamespace(region_name="us-west-2"), machine=machine)
        await api.stop()


@pytest.fixture
async def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_a_command_returns_its_output_and_exit_code(machine: Machine) -> None:
    (machine.folder / "page.astro").write_text("x")
    async with agent(machine) as ecs:
        exec_ = EcsExec(ecs, "c")
        assert (await exec_.run(TASK, "test -f page.astro && echo EXISTS || echo MISSING")).output == "EXISTS"
        failed = await exec_.run(TASK, "echo no >&2; exit 3")
        assert (failed.output, failed.exit_code) == ("no", 3)
        assert (await exec_.run(TASK, 'printf "%s" "$MARKER"')).exit_code == 0


@pytest.mark.parametrize("text", ["a'b", 'say "x"', "`id` $(id) $HOME", "é ✓ 日本", "# not a comment", "x" * 5000])
async def test_output_comes_back_as_it_was_written(machine: Machine, text: str) -> None:
    (machine.folder / "t").write_text(text)
    async with agent(machine) as ecs:
        assert (await EcsExec(ecs, "c").run(TASK, "cat t")).output == text


async def test_three_thousand_lines_arrive_complete(machine: Machine) -> None:
    async with agent(machine) as ecs:
        result = await EcsExec(ecs, "c").run(TASK, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")
    assert result.output.split("\n") == [f"line {i}" for i in range(3000)]


async def test_the_client_waits_for_an_agent_that_is_not_connected_yet(machine: Machine) -> None:
    machine.not_connected = 3
    async with agent(machine) as ecs:
        assert (await EcsExec(ecs, "c").run(TASK, "echo up")).output == "up"


@pytest.mark.parametrize(
    ("task", "because"),
    [
        (None, r"there is no task 0123 in c \(MISSING\)"),
        ({**RUNNING, "enableExecuteCommand": False}, "started without enableExecuteCommand"),
        ({**RUNNING, "desiredStatus": "STOPPED", "lastStatus": "DEACTIVATING"}, "is DEACTIVATING and is to be STOPPED"),
        (
            {**RUNNING, "desiredStatus": "STOPPED", "lastStatus": "STOPPED", "stoppedReason": "Essential container"},
            r"is STOPPED and is to be STOPPED \(Essential container\)",
        ),
    ],
    ids=["gone", "not enabled", "stopping", "stopped"],
)
async def test_a_task_whose_agent_will_never_come_is_reported_at_once(
    machine: Machine, task: dict[str, Any] | None, because: str
) -> None:
    machine.not_connected, machine.task = 1_000_000, task
    async with agent(machine) as ecs, asyncio.timeout(5):
        with pytest.raises(ExecError, match=rf"refused for good, because .*{because}.*TargetNotConnected"):
            await EcsExec(ecs, "c").run(TASK, "echo up", within=30)


async def test_a_task_that_still_starts_is_waited_for(machine: Machine) -> None:
    machine.not_connected, machine.task = 2, {**RUNNING, "lastStatus": "PENDING"}
    async with agent(machine) as ecs:
        assert (await EcsExec(ecs, "c").run(TASK, "echo up")).output == "up"


async def test_a_command_that_never_ends_is_reported_with_what_was_expected(machine: Machine) -> None:
    async with agent(machine) as ecs:
        with pytest.raises(ExecError, match=r"expected `cat` to run.*within 0.5 s.*describe-tasks"):
            await EcsExec(ecs, "c").run(TASK, "cat", within=0.5)


async def test_an_unknown_program_ends_the_session_with_the_agents_words(machine: Machine) -> None:
    async with agent(machine) as ecs:
        session = await asyncio.to_thread(
            ecs.execute_command, cluster="c", task=TASK, command="no-such-program --x", interactive=True
        )
        async with open_channel(session["session"]) as channel:
            assert [chunk async for chunk in channel.output()] == []
        assert channel.closed_with is not None
        assert 'Failed to start pty: exec: "no-such-program"' in channel.closed_with


async def test_the_command_is_split_without_a_shell(machine: Machine) -> None:
    async with agent(machine) as ecs:
        session = await asyncio.to_thread(
            ecs.execute_command, cluster="c", task=TASK, command="echo a && echo $HOME '; id'", interactive=True
        )
        async with open_channel(session["session"]) as channel:
            said = b"".join([chunk async for chunk in channel.output()])
    assert said == b"a && echo $HOME ; id\r\n"


async def test_a_token_is_good_for_one_channel_only(machine: Machine) -> None:
    async with agent(machine) as ecs:
        session = (await asyncio.to_thread(ecs.execute_command, task=TASK, command="true", interactive=True))["session"]
        async with open_channel(session) as channel:
            async for _ in channel.output():
                pass
        with pytest.raises(ChannelError, match="does not contain token"):
            async with open_channel(session) as channel:
                async for _ in channel.output():
                    pass


async def test_a_session_that_is_not_interactive_is_refused_as_ecs_refuses_it(machine: Machine) -> None:
    async with agent(machine) as ecs:
        with pytest.raises(ClientError, match="Interactive is the only mode"):
            await asyncio.to_thread(ecs.execute_command, task=TASK, command="true", interactive=False)


async def test_a_terminal_can_be_typed_into_and_resized(machine: Machine) -> None:
    async with agent(machine) as ecs:
        session = await asyncio.to_thread(ecs.execute_command, task=TASK, command="/bin/sh", interactive=True)
        async with asyncio.timeout(10), open_channel(session["session"]) as channel:
            await channel.resize(101, 33)
            await channel.send(b"stty size; tty >/dev/null && echo a-tty; exit\r")
            said = b"".join([chunk async for chunk in channel.output()])
    assert b"33 101\r\n" in said
    assert b"a-tty\r\n" in said


async def test_two_hundred_commands_at_once_each_get_their_own_answer(machine: Machine) -> None:
    async with agent(machine) as ecs:
        exec_ = EcsExec(ecs, "c")
        results = await asyncio.gather(*(exec_.run(f"{TASK}{i}", f"echo {i}", within=120) for i in range(200)))
    assert [r.output for r in results] == [str(i) for i in range(200)]


@given(st.text(max_size=3000))
def test_chunks_never_cut_a_character(text: str) -> None:
    pieces = list(chunks(text.encode("utf-8", "surrogatepass")))
    assert b"".join(pieces) == text.encode("utf-8", "surrogatepass")
    assert all(0 < len(piece) <= 1024 for piece in pieces)
    for piece in pieces:
        piece.decode("utf-8", "surrogatepass")


def test_the_upgrade_is_signed_exactly_as_the_go_plugin_signs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.auth

    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda: __import__("datetime").datetime(2026, 11, 22, 8, 26, 51)
    )
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "sesstok")
    url = "ws://127.0.0.1:18081/v1/data-channel/ecs-execute-command-00e7edae225f4d00a?role=publish_subscribe"
    headers = signed_headers(url, credentials, "us-west-2")
    assert headers["Authorization"].endswith(
        "Signature=b576c3175ca2b80e89b87e85c2cabcfda9298a83e68f41e50c213f4cef2c0dc0"
    )


@asynccontextmanager
async def bad_network(upstream: str, seed: int, loss: float) -> AsyncIterator[str]:
    """A relay that loses, repeats and reorders binary frames, both ways; the opening frame is spared."""
    chance = random.Random(seed)

    async def relay(source: Any, sink: Any) -> None:
        held: bytes | None = None
        async for frame in source:
            if frame.type is WSMsgType.TEXT:
                await sink.send_str(frame.data)
                continue
            if frame.type is not WSMsgType.BINARY:
                return
            if b"channel_closed" not in frame.data[:40] and chance.random() < loss:
                continue
            if held is None and chance.random() < 0.2 and b"channel_closed" not in frame.data[:40]:
                held = frame.data
                continue
            for _ in range(2 if chance.random() < 0.2 else 1):
                await sink.send_bytes(frame.data)
            if held is not None:
                await sink.send_bytes(held)
                held = None

    async def handle(request: web.Request) -> web.WebSocketResponse:
        near = web.WebSocketResponse(max_msg_size=0)
        await near.prepare(request)
        async with ClientSession() as http, http.ws_connect(upstream + str(request.rel_url), max_msg_size=0) as far:
            both = [asyncio.create_task(relay(near, far)), asyncio.create_task(relay(far, near))]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
        await near.close()
        return near

    app = web.Application()
    app.router.add_get("/{tail:.*}", handle)
    async with served(app) as url:
        yield url.replace("http", "ws")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.3))
def test_loss_repetition_and_reordering_change_nothing(tmp_path: Path, seed: int, loss: float) -> None:
    async def one() -> str:
        async with agent(Machine(tmp_path)) as ecs, bad_network(ecs.api._ctx.endpoint(), seed, loss) as url:
            ecs.through = url
            result = await EcsExec(ecs, "c").run(TASK, "for i in 1 2 3 4 5 6 7 8; do echo line $i; done", within=60)
            return result.output

    assert asyncio.run(one()) == "\n".join(f"line {i}" for i in range(1, 9))
