"""File systems as volumes of the engine: what one container writes another reads, and no more than it may see."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

import pytest
import pytest_asyncio

from tests.support.engine import EngineRun, bed
from tests.support.runtime_conformance import bench
from webordinary_testkit.emulation.services.ecs.docker.volumes import Volumes
from webordinary_testkit.emulation.services.ecs.runtime import Mount
from webordinary_testkit.emulation.services.efs import MountFailed, NamedVolume, Owner

NUMBERS = itertools.count()
INFO = {"OwnerUid": 1000, "OwnerGid": 1001, "Permissions": "0750"}


@pytest_asyncio.fixture
async def run(tmp_path: Path) -> AsyncIterator[EngineRun]:
    async with bed(tmp_path) as made:
        yield made


async def access_point(run: EngineRun, path: str, file_system: str = "fs-1", user: Owner | None = None) -> NamedVolume:
    return await run.host.volumes.ensure_directory(file_system, PurePosixPath(path), INFO, user)


async def said(run: EngineRun, folder: Path, script: str, volume: NamedVolume, user: str | None = None) -> str:
    """What a script says that finds the volume at /data, in a task of its own."""
    async with bench(run.host.runtime, folder, f"task-{next(NUMBERS)}") as b:
        code, text = await b.run(script, mounts=[Mount(volume, "/data")], user=user)
        assert code == 0, text
    return text


async def test_what_a_container_wrote_the_next_one_reads(run: EngineRun, tmp_path: Path) -> None:
    volume = await access_point(run, "/shared")
    await said(run, tmp_path, "echo kept > /data/file", volume)
    assert await said(run, tmp_path, "cat /data/file", volume) == "kept\n"


async def test_access_points_see_their_own_root_and_the_whole_sees_all(run: EngineRun, tmp_path: Path) -> None:
    one, two = await access_point(run, "/teams/one"), await access_point(run, "/teams/two")
    whole = await run.host.volumes.find_directory("fs-1", PurePosixPath("/"))
    await said(run, tmp_path, "echo one > /data/file", one)
    assert await said(run, tmp_path, "ls -A /data", two) == ""
    assert await said(run, tmp_path, "cat /data/teams/one/file", whole) == "one\n"


async def test_file_systems_do_not_see_each_other(run: EngineRun, tmp_path: Path) -> None:
    one, two = await access_point(run, "/a", "fs-1"), await access_point(run, "/a", "fs-2")
    await said(run, tmp_path, "touch /data/file", one)
    assert await said(run, tmp_path, "ls -A /data", two) == ""


async def test_a_root_is_made_as_its_creation_info_says(run: EngineRun, tmp_path: Path) -> None:
    volume = await access_point(run, "/made/here")
    assert await said(run, tmp_path, "stat -c '%u %g %a' /data", volume) == "1000 1001 750\n"


async def test_all_users_of_an_access_point_share_their_files(run: EngineRun, tmp_path: Path) -> None:
    if run.host.engine.podman:
        pytest.skip("podman unpacks no access lists")
    volume = await access_point(run, "/team", user=Owner(1000, 1001))
    await said(run, tmp_path, "mkdir /data/sub && echo a > /data/sub/file", volume, user="4321")
    await said(run, tmp_path, "echo b >> /data/sub/file && touch /data/sub/mine", volume, user="1000:1000")
    assert await said(run, tmp_path, "cat /data/sub/file", volume, user="5555") == "a\nb\n"


async def test_a_missing_directory_cannot_be_mounted(run: EngineRun) -> None:
    with pytest.raises(MountFailed, match=r"127\.0\.0\.1:/nowhere failed.*No such file"):
        await run.host.volumes.find_directory("fs-1", PurePosixPath("/nowhere"))


async def test_a_symbolic_link_does_not_lead_out(run: EngineRun, tmp_path: Path) -> None:
    whole = await run.host.volumes.find_directory("fs-1", PurePosixPath("/"))
    await said(run, tmp_path, "ln -s /etc /data/out", whole)
    with pytest.raises(MountFailed, match="leads out of fs-1"):
        await access_point(run, "/out/ssl")


async def test_a_deleted_file_system_takes_its_volumes_with_it(run: EngineRun, tmp_path: Path) -> None:
    await said(run, tmp_path, "touch /data/file", await access_point(run, "/a"))
    await run.host.volumes.remove("fs-1")
    assert not [item for item in await run.left() if "fs-1" in item]


async def test_a_file_system_in_use_is_not_removed_and_it_is_told_who_has_it(run: EngineRun, tmp_path: Path) -> None:
    volume = await access_point(run, "/a")
    async with bench(run.host.runtime, tmp_path) as b:
        await b.start("exec sleep 60", mounts=[Mount(volume, "/data")])
        for _ in range(2):
            with pytest.raises(OSError, match=rf"mounted by container {run.host.run}-\S+-app\. next: nothing, the end"):
                await run.host.volumes.remove("fs-1")
        assert await access_point(run, "/a") == volume
    await run.host.volumes.remove("fs-1")
    assert not [item for item in await run.left() if "fs-1" in item]


async def test_of_a_file_system_that_was_half_removed_the_next_try_removes_the_rest(run: EngineRun) -> None:
    volume = await access_point(run, "/a")
    await run.host.remove_volume(volume.name)
    await run.host.volumes.remove("fs-1")
    assert not [item for item in await run.left() if "fs-1" in item]


async def test_a_file_system_whose_keeper_did_not_start_is_mounted_at_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bed(tmp_path) as run:
        volumes, image = Volumes(run.host, mib=8), await run.image("nothing:1", Entrypoint=["/no/such/program"])

        async def not_to_be_started() -> str:
            return image

        with monkeypatch.context() as patch:
            patch.setattr(run.host, "pause_image", not_to_be_started)
            with pytest.raises(MountFailed, match="/no/such/program"):
                await volumes.ensure_directory("fs-1", PurePosixPath("/a"), INFO, None)
        volume = await volumes.ensure_directory("fs-1", PurePosixPath("/a"), INFO, None)
        assert await said(run, tmp_path, "stat -c %u /data", volume) == "1000\n"
