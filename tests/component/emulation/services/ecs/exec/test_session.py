"""ECS Exec, client against agent, over real sockets and real pseudo-terminals."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.exec import RUNNING, TASK, FakeContainer, Network, agent
from webordinary_testkit.datachannel import message as wire
from webordinary_testkit.emulation.services.ecs.exec.session import chunks
from webordinary_testkit.kit.ecs_exec import EcsExec, ExecError
from webordinary_testkit.kit.ecs_exec.channel import ChannelError, open_channel, signed_headers


@pytest.fixture
async def machine(tmp_path: Path) -> FakeContainer:
    return FakeContainer(tmp_path)


async def test_a_command_returns_its_output_and_exit_code(machine: FakeContainer) -> None:
    (machine.folder / "page.astro").write_text("x")
    async with agent(machine) as ecs:
        exec_ = EcsExec(ecs, "c")
        assert (await exec_.run(TASK, "test -f page.astro && echo EXISTS || echo MISSING")).output == "EXISTS"
        failed = await exec_.run(TASK, "echo no >&2; exit 3")
        assert (failed.output, failed.exit_code) == ("no", 3)
        assert (await exec_.run(TASK, 'printf "%s" "$MARKER"')).exit_code == 0


@pytest.mark.parametrize("text", ["a'b", 'say "x"', "`id` $(id) $HOME", "é ✓ 日本", "# not a comment", "x" * 5000])
async def test_output_comes_back_as_it_was_written(machine: FakeContainer, text: str) -> None:
    (machine.folder / "t").write_text(text)
    async with agent(machine) as ecs:
        assert (await EcsExec(ecs, "c").run(TASK, "cat t")).output == text


async def test_three_thousand_lines_arrive_complete(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        result = await EcsExec(ecs, "c").run(TASK, "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done")
    assert result.output.split("\n") == [f"line {i}" for i in range(3000)]


async def test_the_client_waits_for_an_agent_that_is_not_connected_yet(machine: FakeContainer) -> None:
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
    machine: FakeContainer, task: dict[str, Any] | None, because: str
) -> None:
    machine.not_connected, machine.task = 1_000_000, task
    async with agent(machine) as ecs, asyncio.timeout(5):
        with pytest.raises(ExecError, match=rf"refused for good, because .*{because}.*TargetNotConnected"):
            await EcsExec(ecs, "c").run(TASK, "echo up", within=30)


async def test_a_task_that_still_starts_is_waited_for(machine: FakeContainer) -> None:
    machine.not_connected, machine.task = 2, {**RUNNING, "lastStatus": "PENDING"}
    async with agent(machine) as ecs:
        assert (await EcsExec(ecs, "c").run(TASK, "echo up")).output == "up"


async def test_a_command_that_never_ends_is_reported_with_what_was_expected(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        with pytest.raises(ExecError, match=r"expected `cat` to run.*within 0.5 s.*describe-tasks"):
            await EcsExec(ecs, "c").run(TASK, "cat", within=0.5)


async def test_an_unknown_program_ends_the_session_with_the_agents_words(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        session = await asyncio.to_thread(
            ecs.execute_command, cluster="c", task=TASK, command="no-such-program --x", interactive=True
        )
        async with open_channel(session["session"]) as channel:
            assert [chunk async for chunk in channel.output()] == []
        assert channel.closed_with is not None
        assert 'Failed to start pty: exec: "no-such-program"' in channel.closed_with


async def test_the_command_is_split_without_a_shell(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        session = await asyncio.to_thread(
            ecs.execute_command, cluster="c", task=TASK, command="echo a && echo $HOME '; id'", interactive=True
        )
        async with open_channel(session["session"]) as channel:
            said = b"".join([chunk async for chunk in channel.output()])
    assert said == b"a && echo $HOME ; id\r\n"


async def test_a_token_is_good_for_one_channel_only(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        session = (await asyncio.to_thread(ecs.execute_command, task=TASK, command="true", interactive=True))["session"]
        async with open_channel(session) as channel:
            async for _ in channel.output():
                pass
        with pytest.raises(ChannelError, match="does not contain token"):
            async with open_channel(session) as channel:
                async for _ in channel.output():
                    pass


async def test_a_session_that_is_not_interactive_is_refused_as_ecs_refuses_it(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        with pytest.raises(ClientError, match="Interactive is the only mode"):
            await asyncio.to_thread(ecs.execute_command, task=TASK, command="true", interactive=False)


async def test_a_terminal_can_be_typed_into_and_resized(machine: FakeContainer) -> None:
    async with agent(machine) as ecs:
        session = await asyncio.to_thread(ecs.execute_command, task=TASK, command="/bin/sh", interactive=True)
        async with asyncio.timeout(10), open_channel(session["session"]) as channel:
            await channel.resize(101, 33)
            await channel.send(b"stty size; tty >/dev/null && echo a-tty; exit\r")
            said = b"".join([chunk async for chunk in channel.output()])
    assert b"33 101\r\n" in said
    assert b"a-tty\r\n" in said


async def test_two_hundred_commands_at_once_each_get_their_own_answer(machine: FakeContainer) -> None:
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


@settings(max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), loss=st.floats(0, 0.3), shakes_hands=st.booleans())
def test_loss_repetition_and_reordering_change_nothing(
    tmp_path: Path, seed: int, loss: float, shakes_hands: bool
) -> None:
    async def one() -> str:
        network = Network(seed, loss)
        async with agent(FakeContainer(tmp_path), shakes_hands=shakes_hands) as ecs, network.between(ecs):
            result = await EcsExec(ecs, "c").run(TASK, "for i in 1 2 3 4 5 6 7 8; do echo line $i; done", within=60)
            assert result.attempts == 1
            asked = any(message.payload_type == wire.HANDSHAKE_REQUEST for _, message in network.passed)
            assert asked == shakes_hands
            return result.output

    assert asyncio.run(one()) == "\n".join(f"line {i}" for i in range(1, 9))
