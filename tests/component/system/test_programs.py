"""The two programs as processes: started, stopped, killed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import REPOSITORY
from tests.support.hermes import HermesWorld, hermes_world
from tests.support.system import SCALE, listening, until, url_of

ROOT = REPOSITORY
OUT_OF_REACH = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-west-2",
}


class Program:
    """A running program, and what it has logged."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, http: aiohttp.ClientSession) -> None:
        self.process = process
        self.url = url
        self._http = http

    async def get(self, path: str) -> int:
        """The status of a path; 0 when nobody answers."""
        try:
            async with self._http.get(self.url + path) as response:
                return response.status
        except aiohttp.ClientError:
            return 0

    async def post(self, path: str, body: object) -> tuple[int, Any]:
        async with self._http.post(self.url + path, json=body) as response:
            return response.status, await response.json()

    async def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Exit status and log, once it has ended."""
        out, _ = await asyncio.wait_for(self.process.communicate(), 20)
        return self.process.returncode or 0, [json.loads(line) for line in out.decode().splitlines()]


@asynccontextmanager
async def program(name: str, environment: dict[str, str]) -> AsyncIterator[Program]:
    sock = listening()
    url, port = url_of(sock), sock.getsockname()[1]
    sock.close()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"webordinary_testkit.emulation.system.{name}"),
        env={"PATH": os.environ["PATH"], "PORT": str(port), "CLOCK_SCALE": str(SCALE), **OUT_OF_REACH, **environment},
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    async with aiohttp.ClientSession() as http:
        try:
            yield Program(process, url, http)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def edit(workspace: Path) -> dict[str, str]:
    return {"WORKSPACE_PATH": str(workspace), "SESSIONS_TABLE": "sessions"}


def hermes_environment(hermes: HermesWorld) -> dict[str, str]:
    known = hermes.settings
    return {
        "SESSIONS_TABLE": known.sessions_table,
        "MAIL_TABLE": known.mail_table,
        "QUEUE_URL": known.queue_url,
        "CLUSTER": known.cluster,
        "EDIT_SERVICE": known.edit_service,
        "ALB_URL": known.alb_url,
        "MAIL_FROM": known.mail_from,
        "METRICS_NAMESPACE": known.metrics_namespace,
        "METRICS_ENVIRONMENT": known.metrics_environment,
        "IDLE_SECONDS": str(known.idle_seconds),
        "DEFAULT_CLIENT_ID": known.default_client_id,
        "AWS_ENDPOINT_URL": hermes.world.url,
    }


def work(work_id: str, instruction: str) -> dict[str, str]:
    return {
        "clientId": "acme",
        "userId": "ann@x.y",
        "threadId": "t1",
        "workId": work_id,
        "instruction": instruction,
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_edit_starts_serves_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    async with program("edit", edit(tmp_path)) as container:
        await until(lambda: container.get("/api/health"), lambda status: status == 200)
        status, done = await container.post("/api/sessions/s1/work", work("w1", "create page A"))
        assert (status, done["changed"]) == (200, ["src/pages/page-a.astro"])
        assert await container.get("/session/s1/page-a") == 200
        container.process.send_signal(number)
        status, log = await container.ended()
    assert status == 0
    assert {"serving", "work done"} <= {line["message"] for line in log}
    assert all(line["service"] == "edit" and line["time"].endswith("Z") for line in log)


async def test_who_comes_before_edit_is_ready_waits_and_is_not_refused(tmp_path: Path) -> None:
    async with program("edit", edit(tmp_path)) as container:
        statuses = await until(lambda: container.get("/api/health"))
        assert statuses == 200


async def test_edit_killed_in_the_middle_of_a_work_leaves_nothing_that_hinders_the_next(tmp_path: Path) -> None:
    async with program("edit", edit(tmp_path)) as first:
        await until(lambda: first.get("/api/health"), lambda status: status == 200)
        asking = asyncio.create_task(first.post("/api/sessions/s1/work", work("w1", "slow 600\ncreate page A")))
        await until((tmp_path / "acme/ann/project/.git").is_dir)
        first.process.kill()
        with pytest.raises(aiohttp.ClientError):
            await asking
    async with program("edit", edit(tmp_path)) as second:
        await until(lambda: second.get("/api/health"), lambda status: status == 200)
        status, _ = await second.post("/api/sessions/s1/work", work("w1", "create page A"))
        assert status == 200


async def test_hermes_starts_answers_a_mail_and_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        hermes_world(monkeypatch, start=False) as world,
        program("hermes", hermes_environment(world)) as hermes,
    ):
        await world.mail("create page A")
        await until(world.replies, within=20)
        assert await hermes.get("/hermes/health") == 200
        hermes.process.terminate()
        status, log = await hermes.ended()
    assert status == 0
    assert "mail answered" in {line["message"] for line in log}


async def test_hermes_that_cannot_reach_aws_lives_and_says_so() -> None:
    settings = {
        **dict.fromkeys(("SESSIONS_TABLE", "MAIL_TABLE", "CLUSTER", "EDIT_SERVICE", "DEFAULT_CLIENT_ID"), "x"),
        **dict.fromkeys(("METRICS_NAMESPACE", "METRICS_ENVIRONMENT"), "x"),
        "QUEUE_URL": "http://127.0.0.1:9/q",
        "ALB_URL": "http://127.0.0.1:9",
        "MAIL_FROM": "edit@x.y",
        "IDLE_SECONDS": "60",
    }
    async with program("hermes", settings) as hermes:
        await until(lambda: hermes.get("/hermes/health"), lambda status: status == 200)
        body = {"clientId": "acme", "userId": "ann@x.y", "instruction": "create page A"}
        status, answer = await hermes.post("/hermes/api/sessions/activate", body)
        assert (status, answer["statusCode"]) == (503, 503)
        hermes.process.terminate()
        status, log = await hermes.ended()
    assert status == 0
    assert "the queue cannot be read" in {line["message"] for line in log}
