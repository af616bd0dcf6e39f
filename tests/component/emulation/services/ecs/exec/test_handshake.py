"""The handshake before a session's first output, and clusters whose sessions have to be encrypted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.support.ecs import UNTIL_STOPPED, ecs_world, eventually
from tests.support.exec import TASK, Ecs, FakeContainer, Network, agent
from webordinary_testkit.datachannel import Message, acknowledge
from webordinary_testkit.datachannel import message as wire
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.ecs.exec import api
from webordinary_testkit.emulation.services.ecs.exec.handshake import Handshake
from webordinary_testkit.kit.ecs_exec import EcsExec, ExecError

KEY = "arn:aws:kms:us-west-2:123456789012:key/1234abcd"
SAID_YES = {"ActionStatus": 1, "ActionResult": None, "Error": ""}


@pytest.fixture
def machine(tmp_path: Path) -> FakeContainer:
    return FakeContainer(tmp_path)


async def test_request_response_and_completion_come_before_all_output(machine: FakeContainer) -> None:
    network = Network(shuffles=False)
    async with agent(machine, shakes_hands=True) as ecs, network.between(ecs):
        result = await EcsExec(ecs, "c").run(TASK, "echo hi")

    assert (result.output, result.attempts) == ("hi", 1)
    streams = [(whose, it) for whose, it in network.passed if it.type in (wire.INPUT, wire.OUTPUT)]
    kinds = [(whose, it.payload_type, it.sequence) for whose, it in streams]
    assert kinds[:5] == [
        ("agent", wire.HANDSHAKE_REQUEST, 0),
        ("client", wire.HANDSHAKE_RESPONSE, 0),
        ("agent", wire.HANDSHAKE_COMPLETE, 1),
        ("agent", wire.BYTES, 2),
        ("client", wire.BYTES, 1),
    ]
    assert streams[1][1].json()["ProcessedClientActions"] == [{"ActionType": "SessionType", **SAID_YES}]


async def test_a_cluster_that_demands_encryption_is_refused_with_what_to_do(machine: FakeContainer) -> None:
    machine.kms_key_id = KEY
    network = Network(shuffles=False)
    async with agent(machine) as ecs, network.between(ecs):
        with pytest.raises(ExecError) as refused:
            await EcsExec(ecs, "c").run(TASK, "echo ran >>runs")

    text = str(refused.value)
    assert f"encrypt the session with the KMS key {KEY}" in text
    assert "executeCommandConfiguration.kmsKeyId" in text
    assert "aws ecs update-cluster --cluster c --configuration executeCommandConfiguration={logging=DEFAULT}" in text
    assert (refused.value.definite, refused.value.attempts, machine.started) == (True, 1, 0)
    answer = next(it.json() for _, it in network.passed if it.payload_type == wire.HANDSHAKE_RESPONSE)
    assert [action["ActionStatus"] for action in answer["ProcessedClientActions"]] == [1, 3]


async def test_a_key_on_the_cluster_leads_there_until_it_is_taken_off() -> None:
    async with ecs_world({"app:1": UNTIL_STOPPED}) as w:
        await w.register("app", image="app:1")
        task = (await w.running((await w.run("app", enableExecuteCommand=True))["taskArn"]))["taskArn"]
        exec_ = EcsExec(w.client("ecs"), "test")
        demands = {"executeCommandConfiguration": {"kmsKeyId": KEY, "logging": "DEFAULT"}}
        await w.call("update_cluster", cluster="test", configuration=demands)
        with pytest.raises(ExecError, match=f"the KMS key {KEY}"):
            await exec_.run(task, "echo hi")
        await w.call(
            "update_cluster", cluster="test", configuration={"executeCommandConfiguration": {"logging": "DEFAULT"}}
        )
        assert (await exec_.run(task, "echo hi")).output == "hi"


class TestTheAgent:
    """Against a client that answers as scripted."""

    async def test_ends_the_session_of_a_client_that_would_encrypt(self, machine: FakeContainer) -> None:
        machine.kms_key_id = KEY
        async with agent(machine) as ecs, asked(ecs) as client:
            actions = [{"ActionType": kind, **SAID_YES} for kind in ("SessionType", "KMSEncryption")]
            said = await client.answer({"ProcessedClientActions": actions})

        assert said.startswith(
            "----------ERROR-------\nEncountered error while initiating handshake. The emulated cloud"
        )
        assert KEY in said
        assert machine.started == 0

    async def test_ends_the_session_of_a_client_that_failed(self, machine: FakeContainer) -> None:
        async with agent(machine, shakes_hands=True) as ecs, asked(ecs) as client:
            action = {"ActionType": "SessionType", "ActionStatus": 2, "Error": "Unknown session type"}
            said = await client.answer({"ProcessedClientActions": [action]})

        assert "SessionType failed on client with status 2 error: Unknown session type" in said
        assert machine.started == 0

    async def test_ends_the_session_of_a_client_that_says_nothing_useful(self, machine: FakeContainer) -> None:
        async with agent(machine, shakes_hands=True) as ecs, asked(ecs) as client:
            assert "initiating handshake" in await client.answer({"ClientVersion": "1"})
        assert machine.started == 0

    async def test_gives_a_silent_client_fifteen_seconds(
        self, machine: FakeContainer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert Handshake().within == 15
        impatient = lambda key: Handshake(key, within=0.3)  # noqa: E731 - replaces the class
        monkeypatch.setattr(api, "Handshake", impatient)
        async with agent(machine, shakes_hands=True) as ecs, asked(ecs) as client:
            assert "Handshake timed out" in await client.end()
        assert machine.started == 0

    async def test_does_not_take_input_before_the_handshake_is_over(self, machine: FakeContainer) -> None:
        async with agent(machine, shakes_hands=True) as ecs, asked(ecs) as client:
            await client.send(wire.BYTES, b"early", sequence=1)
            said = await client.answer({"ProcessedClientActions": [{"ActionType": "SessionType", "ActionStatus": 2}]})
            assert "failed" in said
        assert [it.json()["AcknowledgedMessageSequenceNumber"] for it in client.acknowledged] == [0]

    async def test_forgets_a_client_that_hangs_up_meanwhile(self, machine: FakeContainer) -> None:
        async with agent(machine, shakes_hands=True) as ecs:
            async with asked(ecs):
                pass

            async def forgotten() -> bool:
                return not ecs.api._open

            await eventually(forgotten)
        assert machine.started == 0


class Client:
    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = Ids()
        self.acknowledged: list[Message] = []

    async def send(self, kind: int, payload: bytes, sequence: int = 0) -> None:
        await self._socket.send_bytes(Message(wire.INPUT, sequence, payload, self._id(), 1, kind).encode())

    async def answer(self, response: Any) -> str:
        """Send this HandshakeResponse; returns what `channel_closed` says then."""
        await self.send(wire.HANDSHAKE_RESPONSE, json.dumps(response).encode())
        return await self.end()

    async def end(self) -> str:
        while (message := await self.receive()).type != wire.CHANNEL_CLOSED:
            if message.type == wire.ACKNOWLEDGE:
                self.acknowledged.append(message)
        return str(message.json()["Output"])

    async def receive(self) -> Message:
        frame = await self._socket.receive(timeout=10)
        assert frame.type is WSMsgType.BINARY, frame
        message = Message.decode(frame.data)
        if message.type == wire.OUTPUT:
            await self._socket.send_bytes(acknowledge(message, id=self._id(), created=1).encode())
        return message

    def _id(self) -> UUID:
        return UUID(self._ids.uuid())


@asynccontextmanager
async def asked(ecs: Ecs) -> AsyncIterator[Client]:
    """A client that has been sent its HandshakeRequest."""
    answer = await asyncio.to_thread(ecs.execute_command, cluster="c", task=TASK, command="echo hi", interactive=True)
    session = answer["session"]
    async with ClientSession() as http, http.ws_connect(session["streamUrl"]) as socket:
        await socket.send_str(json.dumps({"TokenValue": session["tokenValue"]}))
        client = Client(socket)
        assert (await client.receive()).payload_type == wire.HANDSHAKE_REQUEST
        yield client
