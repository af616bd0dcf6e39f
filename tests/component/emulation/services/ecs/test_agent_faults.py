"""The container agent's fault endpoint, as a program inside a task asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from botocore.exceptions import ClientError

from tests.support.faults import Place, place
from webordinary_testkit.emulation.services.ecs import Ecs
from webordinary_testkit.emulation.services.ecs.agent_faults import EVERY_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="module")

HTTPS = {"Port": 443, "Protocol": "tcp", "TrafficType": "egress"}
BLACKHOLE = "network-blackhole-port"


class Agent:
    """A task's own agent: its address is in the container's environment."""

    def __init__(self, p: Place, task: str, uri: str) -> None:
        self.p, self.task, self.uri = p, task, uri

    async def ask(self, path: str, body: Any = None, *, pause: float = EVERY_SECONDS) -> tuple[int, dict[str, Any]]:
        """One request, no sooner after another than the agent takes it."""
        await self.p.context.clock.sleep(pause)
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.uri}/fault/v1/{path}", json=HTTPS if body is None else body) as answer,
        ):
            return answer.status, await answer.json()

    async def entered(self) -> str:
        """What comes of ECS Exec."""
        call = {"cluster": "cluster", "task": self.task, "command": "true", "interactive": True}
        try:
            await self.p.aws.call("ecs", "execute_command", **call)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "a session"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent() -> AsyncIterator[Agent]:
    async with place() as p:
        task = await p.task()
        yield Agent(p, task, (await p.context.run(task, "edit", 'echo "$ECS_AGENT_URI"')).output.strip())


async def test_a_blackhole_begins_is_told_of_and_ends(agent: Agent) -> None:
    before = await agent.ask(f"{BLACKHOLE}/status")
    begun = await agent.ask(f"{BLACKHOLE}/start")
    during = await agent.p.call_as_task(agent.task, 0.3), await agent.entered()
    second = await agent.ask(f"{BLACKHOLE}/start")
    ended = await agent.ask(f"{BLACKHOLE}/stop")

    assert (before, begun) == ((200, {"Status": "not-running"}), (200, {"Status": "running"}))
    assert during == ("silent", "TargetNotConnectedException")
    assert (second[0], ended) == (409, (200, {"Status": "stopped"}))
    assert (await agent.p.call_as_task(agent.task), await agent.entered()) == ("ok", "a session")


async def test_what_comes_to_a_port_of_the_tasks_own_vanishes_too(agent: Agent) -> None:
    own = {"Port": 8080, "Protocol": "tcp", "TrafficType": "ingress"}
    before = await agent.p.get()
    await agent.ask(f"{BLACKHOLE}/start", own)
    during = await agent.p.get()
    await agent.ask(f"{BLACKHOLE}/stop", own)

    assert (before, during, await agent.p.get()) == ("200", "504", "200")


async def test_an_endpoint_is_asked_once_in_five_seconds(agent: Agent) -> None:
    await agent.ask(f"{BLACKHOLE}/status")

    assert (await agent.ask(f"{BLACKHOLE}/status", pause=0.0))[0] == 429


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{BLACKHOLE}/start", {**HTTPS, "Port": "443"}, 400),
        (f"{BLACKHOLE}/start", {**HTTPS, "Protocol": "udp"}, 400),
        (f"{BLACKHOLE}/start", {**HTTPS, "TrafficType": "both"}, 400),
        (f"{BLACKHOLE}/start", [], 400),
        (f"{BLACKHOLE}/begin", HTTPS, 404),
        ("network-latency/start", {"DelayMilliseconds": 100}, 501),
    ],
)
async def test_what_cannot_be_is_refused(agent: Agent, path: str, body: Any, status: int) -> None:
    answer = await agent.ask(path, body)

    assert (answer[0], "Error" in answer[1]) == (status, True)


async def test_only_tasks_whose_definition_says_so_may_ask(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    ecs = next(each for each in agent.p.cloud.wiring.controllers if isinstance(each, Ecs))
    definition = ecs._store.definition("edit")
    assert definition is not None
    monkeypatch.setitem(dict_of(definition.raw), "enableFaultInjection", False)
    status, answer = await agent.ask(f"{BLACKHOLE}/start")

    assert (status, "enableFaultInjection" in answer["Error"]) == (400, True)


def dict_of(mapping: Any) -> dict[str, Any]:
    assert isinstance(mapping, dict)
    return mapping
