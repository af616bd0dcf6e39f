"""What is said of an engine without asking one: which it is, and what its words mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiodocker import DockerError

from webordinary_testkit.emulation.container_engine import engine
from webordinary_testkit.emulation.container_engine.engine import Engine, EngineUnusable
from webordinary_testkit.emulation.core.ids import Ids
from webordinary_testkit.emulation.services.ecs.docker.container import held_memory, why
from webordinary_testkit.emulation.state.localstack import LocalStack
from webordinary_testkit.emulation.time.clock import Clock

FULL = "write /var/lib/docker/tmp/layer.tar: no space left on device"
WRAPPED = (
    "OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "
    '"no-such": executable file not found in $PATH: unknown'
)
TAKEN = "driver failed programming external connectivity on endpoint e: Bind for 127.0.0.1:8080 failed: "


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        (FULL, f"{FULL}. The disk of the container engine is full: make room there (docker system df shows what"),
        (WRAPPED, 'exec: "no-such": executable file not found in $PATH'),
        (
            f"{TAKEN}port is already allocated",
            "port is already allocated. Another program took the port while the task",
        ),
        (f"{TAKEN}address already in use", "address already in use. Another program took the port while the task"),
        ("No such image: web:1", "No such image: web:1"),
    ],
)
def test_what_kept_a_container_from_starting_is_reported_with_advice(said: str, reported: str) -> None:
    assert reported in why(DockerError(500, said))
    assert "OCI runtime" not in why(DockerError(500, said))


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        (FULL, f"the engine's disk is full: {FULL}. next: docker system df shows what takes the space"),
        (
            f"{TAKEN}port is already allocated",
            "port is already allocated. next: kit audit --yes removes what dead runs left",
        ),
        (
            'Conflict. The name "kit-1" is already in use',
            "already in use. next: kit audit --yes removes what dead runs left",
        ),
        ("manifest unknown", "cannot be had: manifest unknown. next: docker pull acme/localstack:9"),
    ],
)
def test_why_localstack_is_unavailable_is_reported_with_advice(said: str, reported: str) -> None:
    localstack = LocalStack(Clock(), Ids(), NoGuardian(), "acme/localstack:9", "us-west-2")
    assert reported in localstack._why(RuntimeError(said), None)


class NoGuardian:
    async def afterwards(self, argv: list[str]) -> None: ...


@pytest.mark.parametrize("environ", [{}, {"DOCKER_HOST": ""}])
async def test_without_docker_host_the_engine_is_at_dockers_default_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]
) -> None:
    monkeypatch.setattr(engine, "_DEFAULT", f"unix://{tmp_path}/docker.sock")
    with pytest.raises(
        EngineUnusable, match=rf"no container engine answers at unix://{tmp_path}/docker\.sock .*next: start it"
    ):
        await Engine.open(environ)


@pytest.mark.parametrize(
    ("reported", "bytes_"),
    [
        ({"memory_stats": {"usage": 900, "stats": {"anon": 300, "file": 600}}}, 300),
        ({"memory_stats": {"usage": 900, "stats": {"rss": 200, "total_rss": 400, "cache": 500}}}, 400),
        ({"memory_stats": {}}, 0),
        ({}, 0),
    ],
)
def test_the_memory_of_processes_is_read_from_both_kinds_of_control_groups(
    reported: dict[str, object], bytes_: int
) -> None:
    assert held_memory(reported) == bytes_
