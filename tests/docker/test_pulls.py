"""Images that have to be pulled: from a registry that everybody may read, and from one that asks for a login."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiodocker import DockerError

from tests.support.engine import EngineRun, bed
from tests.support.kit import some_settings
from tests.support.registry import PASSWORD, USER, Registry, registry
from webordinary_testkit.emulation.container_engine.engine import Engine
from webordinary_testkit.emulation.services.ecs.runtime import CannotPull
from webordinary_testkit.kit.backends.emulated.backend import EmulatedBackend
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.history import History


@dataclass(frozen=True)
class Config:
    """The user's folder of Docker's configuration, which is empty at first."""

    folder: Path

    def write(self, text: str) -> None:
        (self.folder / "config.json").write_text(text)

    def add_helper(self, script: str) -> None:
        """The credential helper `kit-test`."""
        helper = self.folder / "docker-credential-kit-test"
        helper.write_text(f"#!/bin/sh\n{script}\n")
        helper.chmod(0o755)


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    made = Config(tmp_path / "docker")
    made.folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(made.folder))
    monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
    return made


@pytest_asyncio.fixture
async def run(tmp_path: Path, config: Config) -> AsyncIterator[EngineRun]:
    async with bed(tmp_path) as made:
        yield made


@asynccontextmanager
async def serving(engine: Engine, *, login: bool = False, by: str = "tag") -> AsyncIterator[Registry]:
    """A registry whose image the engine forgets afterwards."""
    async with registry(engine.architecture, login=login) as made:
        if by == "digest":
            made.image = f"{made.image.rpartition(':')[0]}@{made.digest}"
        try:
            yield made
        finally:
            try:
                await engine.client.images.delete(made.image)
            except DockerError as error:
                assert error.status == 404  # it was not pulled


async def pull(run: EngineRun, image: str) -> str:
    return await run.host.runtime.pull(image)


async def refusal(run: EngineRun, image: str) -> str:
    with pytest.raises(CannotPull) as refused:
        await pull(run, image)
    return str(refused.value)


async def test_an_image_that_is_not_here_is_pulled_once(run: EngineRun) -> None:
    async with serving(run.host.engine) as there:
        assert await pull(run, there.image) == there.digest
        asked = len(there.asked)
        assert await pull(run, there.image) == there.digest
        assert len(there.asked) == asked


async def test_an_image_is_pulled_by_its_digest(run: EngineRun) -> None:
    async with serving(run.host.engine, by="digest") as there:
        assert await pull(run, there.image) == there.digest


async def test_a_login_of_the_configuration_file_is_used(run: EngineRun, config: Config) -> None:
    async with serving(run.host.engine, login=True) as there:
        config.write(there.config())
        assert await pull(run, there.image) == there.digest


async def test_a_credential_helper_is_asked(run: EngineRun, config: Config) -> None:
    async with serving(run.host.engine, login=True) as there:
        login = json.dumps({"ServerURL": there.address, "Username": USER, "Secret": PASSWORD})
        config.add_helper(f"[ \"$(cat)\" = {there.address} ] && echo '{login}'")
        config.write(json.dumps({"credHelpers": {there.address: "kit-test"}}))
        assert await pull(run, there.image) == there.digest


async def test_a_credential_helper_that_is_missing_is_reported(run: EngineRun, config: Config) -> None:
    async with serving(run.host.engine, login=True) as there:
        config.write(json.dumps({"credHelpers": {there.address: "kit-nowhere"}}))
        with pytest.warns(UserWarning, match="docker-credential-kit-nowhere"):
            said = await refusal(run, there.image)
    assert "docker-credential-kit-nowhere" in said
    assert "next: see to the credential helper" in said


@pytest.mark.parametrize("password", [None, "wrong"])
async def test_without_a_login_that_fits_a_login_is_proposed_and_no_build(
    run: EngineRun, config: Config, password: str | None
) -> None:
    async with serving(run.host.engine, login=True) as there:
        if password is not None:
            config.write(there.config(password))
        said = await refusal(run, there.image)
    assert f"failed to resolve ref {there.image}: " in said
    assert f"next: docker login {there.address} " in said
    assert "kit images build" not in said


async def test_a_tag_that_the_registry_has_not(run: EngineRun) -> None:
    async with serving(run.host.engine) as there:
        said = await refusal(run, f"{there.image}2")
    assert f"the registry {there.address} has none of this name and tag" in said


async def test_a_registry_that_is_not_there(run: EngineRun) -> None:
    said = await refusal(run, "127.0.0.1:1/acme/image:1")
    assert "next: the engine cannot reach the registry 127.0.0.1:1" in said


async def test_a_cloud_says_what_it_pulls_before_it_is_ready(run: EngineRun) -> None:
    async with serving(run.host.engine) as there:
        there.layers_may_go.clear()
        cloud = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "webordinary_testkit.emulation", "--config"),
            json.dumps({"runtime": "docker", "images": {"web:1": there.image}}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert cloud.stdin is not None
        assert cloud.stdout is not None
        said = [json.loads(await asyncio.wait_for(cloud.stdout.readline(), 60))]
        there.layers_may_go.set()
        said += [json.loads(await asyncio.wait_for(cloud.stdout.readline(), 60)) for _ in range(2)]
        cloud.stdin.close()
        await cloud.wait()
    assert said[:2] == [{"progress": f"pulling {there.image}"}, {"progress": f"pulled {there.image}"}]
    assert said[2]["aws"].startswith("http://")


async def test_a_run_pulls_with_the_users_login_and_says_so(
    run: EngineRun, config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(run.host.engine, login=True) as there:
        config.write(there.config())
        settings = some_settings(emulated={"runtime": "docker"}, images={"webordinary/edit:test": there.image})
        backend = EmulatedBackend(settings, tmp_path / "run", History(Clock()))
        await backend.start()
        try:
            said = capsys.readouterr().err
        finally:
            await backend.stop()
    assert said == f"kit: pulling {there.image}\nkit: pulled {there.image}\n"
    assert backend.left_behind == []
