"""Ordered start and stop, and nothing left."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tests.support.scripted import Scripted
from tests.support.world import world
from webordinary_testkit.emulation import cloud as cloud_module
from webordinary_testkit.emulation.cloud import Cloud, CloudParts, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Context


class Recorded(Scripted):
    def __init__(self, name: str, notes: list[str], *, fails: str = "") -> None:
        super().__init__({})
        self._name = name
        self._notes = notes
        self._fails = fails

    async def start(self) -> None:
        self._notes.append(f"start {self._name}")
        if self._fails == "start":
            raise OSError("port 25 is taken")

    async def stop(self) -> None:
        self._notes.append(f"stop {self._name}")
        if self._fails == "stop":
            raise KeyError("x")
        if self._fails == "hang":
            await asyncio.sleep(60)


def made_of(*controllers: Scripted) -> Wiring:
    return Wiring(controllers)


async def test_controllers_stop_in_the_reverse_order_of_their_start() -> None:
    notes: list[str] = []
    async with world(lambda _: Recorded("a", notes), lambda _: Recorded("b", notes)):
        notes.append("up")

    assert notes == ["start a", "start b", "up", "stop b", "stop a"]


async def test_a_failed_start_takes_down_what_came_up_and_says_why() -> None:
    notes: list[str] = []
    cloud = Cloud(
        CloudConfig(),
        lambda _: made_of(Recorded("a", notes), Recorded("b", notes, fails="start"), Recorded("c", notes)),
    )

    with pytest.raises(OSError, match="port 25 is taken"):
        await cloud.start()

    assert notes == ["start a", "start b", "stop b", "stop a"]
    assert not cloud.workdir.exists()
    assert cloud.guardian.pid is None


@pytest.mark.parametrize("fails", ["stop", "hang"])
async def test_a_controller_that_does_not_stop_does_not_stop_the_others(
    fails: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(cloud_module, "STOPS_WITHIN", 0.05)
    notes: list[str] = []
    async with world(lambda _: Recorded("a", notes), lambda _: Recorded("b", notes, fails=fails)):
        pass

    assert notes[-1] == "stop a"
    assert "Recorded did not stop cleanly" in caplog.text


async def test_the_workdir_is_there_while_it_runs_and_gone_afterwards(tmp_path: Path) -> None:
    wanted = tmp_path / "deep" / "workdir"
    cloud = Cloud(CloudConfig(workdir=wanted), lambda _: made_of())
    await cloud.start()
    assert cloud.workdir == wanted
    (wanted / "efs").mkdir()
    await cloud.stop()

    assert not wanted.exists()
    assert wanted.parent.exists()


async def test_a_workdir_that_is_not_fresh_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()

    with pytest.raises(ValueError, match="is not empty"):
        await Cloud(CloudConfig(workdir=tmp_path), lambda _: made_of()).start()

    assert (tmp_path / "precious").exists()


async def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(OSError, match=rf"gateway cannot listen on 127\.0\.0\.1:{port}: Address.*next: .*port to 0"):
            await Cloud(CloudConfig(port=port), lambda _: made_of()).start()


async def test_a_part_is_handed_what_it_needs() -> None:
    seen: list[Context] = []

    def assemble(parts: CloudParts) -> Wiring:
        seen.append(parts.context("ses"))
        return Wiring((), lambda: {"smtp": "127.0.0.1:25"})

    cloud = Cloud(CloudConfig(region="eu-central-1", account="111122223333", scale=7), assemble)
    await cloud.start()
    facts = cloud.facts()
    endpoint = seen[0].endpoint()
    await cloud.stop()

    (context,) = seen
    assert (context.region, context.account, context.clock.scale) == ("eu-central-1", "111122223333", 7)
    assert context.workdir == cloud.workdir
    assert endpoint == facts["aws"]
    assert facts["smtp"] == "127.0.0.1:25"


async def test_what_a_controller_asks_while_it_starts_is_answered() -> None:
    class Asking(Scripted):
        def __init__(self, context: Context) -> None:
            super().__init__({})
            self._context = context

        async def start(self) -> None:
            await self._context.aws.call("sqs", "CreateQueue", QueueName="early")

    async with world(Asking) as w:
        queues = await w.aws.call("sqs", "ListQueues")

    assert queues["QueueUrls"] == [f"{w.url}/123456789012/early"]
