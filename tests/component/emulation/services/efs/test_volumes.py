"""File systems and access points as folders, and what tasks see of them."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.ecs import EcsWorld, ecs_world, eventually
from tests.support.world import World, world
from webordinary_testkit.emulation.services.efs import MountFailed, Owner, Storage

INFO = {"OwnerUid": 1000, "OwnerGid": 1001, "Permissions": "0750"}


@pytest_asyncio.fixture
async def w() -> AsyncIterator[World]:
    async with world(Storage) as it:
        yield it


def storage_of(w: World) -> Storage:
    storage = w.controllers[0]
    assert isinstance(storage, Storage)
    return storage


async def file_system(w: World, *, reachable: bool = True) -> str:
    identity = (await w.aws.call("efs", "CreateFileSystem", CreationToken=os.urandom(8).hex()))["FileSystemId"]
    if reachable:
        vpc = (await w.aws.call("ec2", "CreateVpc", CidrBlock="10.9.0.0/16"))["Vpc"]["VpcId"]
        subnet = await w.aws.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock="10.9.1.0/24")
        await w.aws.call("efs", "CreateMountTarget", FileSystemId=identity, SubnetId=subnet["Subnet"]["SubnetId"])
    return str(identity)


async def access_point(w: World, of: str, path: str, info: Any = INFO, **settings: Any) -> str:
    root = {"Path": path, **({"CreationInfo": info} if info else {})}
    answer = await w.aws.call(
        "efs",
        "CreateAccessPoint",
        FileSystemId=of,
        RootDirectory=root,
        ClientToken=os.urandom(8).hex(),
        **settings,
    )
    return str(answer["AccessPointId"])


async def test_what_is_written_through_one_mount_is_read_through_the_next(w: World) -> None:
    fs = await file_system(w)
    first = await storage_of(w).mount(fs)
    (first.source / "file").write_text("kept")
    second = await storage_of(w).mount(fs)
    assert (second.source / "file").read_text() == "kept"


async def test_an_access_point_shows_its_root_directory_only(w: World) -> None:
    fs = await file_system(w)
    whole = await storage_of(w).mount(fs)
    one = await storage_of(w).mount(fs, await access_point(w, fs, "/teams/one"))
    two = await storage_of(w).mount(fs, await access_point(w, fs, "/teams/two"))
    (one.source / "file").write_text("one")
    assert list(two.source.iterdir()) == []
    assert (whole.source / "teams/one/file").read_text() == "one"


async def test_file_systems_do_not_see_each_other(w: World) -> None:
    one, two = await storage_of(w).mount(await file_system(w)), await storage_of(w).mount(await file_system(w))
    (one.source / "file").write_text("one")
    assert list(two.source.iterdir()) == []


async def test_an_access_points_root_is_made_as_its_creation_info_says(w: World) -> None:
    fs = await file_system(w)
    point = await access_point(w, fs, "/made", PosixUser={"Uid": 1000, "Gid": 1001})
    volume = await storage_of(w).mount(fs, point)
    made = volume.source.stat()
    assert stat.S_IMODE(made.st_mode) == 0o750
    assert volume.posix_user == Owner(1000, 1001)
    if os.geteuid() == 0:
        assert (made.st_uid, made.st_gid) == (1000, 1001)


async def test_an_existing_root_keeps_its_permissions(w: World) -> None:
    fs = await file_system(w)
    (await storage_of(w).mount(fs)).source.joinpath("old").mkdir(mode=0o700)
    volume = await storage_of(w).mount(fs, await access_point(w, fs, "/old"))
    assert stat.S_IMODE(volume.source.stat().st_mode) == 0o700


async def test_a_file_system_that_is_not_there_cannot_be_mounted(w: World) -> None:
    with pytest.raises(MountFailed, match=r'Failed to resolve "fs-0000\.efs\.us-west-2\.amazonaws\.com"'):
        await storage_of(w).mount("fs-0000")


async def test_a_file_system_without_a_mount_target_cannot_be_mounted(w: World) -> None:
    with pytest.raises(MountFailed, match="mount target ip address cannot be found"):
        await storage_of(w).mount(await file_system(w, reachable=False))


async def test_an_access_point_of_another_file_system_is_denied(w: World) -> None:
    one, two = await file_system(w), await file_system(w)
    point = await access_point(w, two, "/x")
    with pytest.raises(MountFailed, match=f"{point} is an access point of {two}, not of {one}"):
        await storage_of(w).mount(one, point)


async def test_an_access_point_that_is_not_there_is_denied(w: World) -> None:
    with pytest.raises(MountFailed, match="access denied by server"):
        await storage_of(w).mount(await file_system(w), "fsap-0000")


async def test_a_missing_root_directory_cannot_be_mounted(w: World) -> None:
    with pytest.raises(MountFailed, match=r"127\.0\.0\.1:/nowhere failed, reason given by server: No such file"):
        await storage_of(w).mount(await file_system(w), root_directory="/nowhere")


async def test_a_root_directory_cannot_lead_upwards(w: World) -> None:
    fs = await file_system(w)
    await storage_of(w).mount(fs)
    with pytest.raises(MountFailed, match=r"contains '\.\.'"):
        await storage_of(w).mount(fs, root_directory="/../../..")


async def test_a_symbolic_link_does_not_lead_out(w: World) -> None:
    fs = await file_system(w)
    volume = await storage_of(w).mount(fs)
    (volume.source / "out").symlink_to("/")
    with pytest.raises(MountFailed, match="leads out of"):
        await storage_of(w).mount(fs, root_directory="/out/etc")


async def test_a_deleted_file_system_takes_its_files_with_it(w: World) -> None:
    fs = await file_system(w)
    volume = await storage_of(w).mount(fs)
    (volume.source / "file").write_text("x")
    for target in (await w.aws.call("efs", "DescribeMountTargets", FileSystemId=fs))["MountTargets"]:
        await w.aws.call("efs", "DeleteMountTarget", MountTargetId=target["MountTargetId"])
    await w.aws.call("efs", "DeleteFileSystem", FileSystemId=fs)
    assert await eventually(lambda: asyncio.to_thread(lambda: not volume.source.exists()))


def mounted(fs: str, point: str | None) -> dict[str, Any]:
    authorization = {"transitEncryption": "ENABLED", "authorizationConfig": {"accessPointId": point}} if point else {}
    return {"volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": fs, **authorization}}]}


CONTAINER = {
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/workspace"}],
    "environment": [{"name": "WORKSPACE_PATH", "value": "/workspace"}],
}


async def task_log(w: EcsWorld, family: str) -> list[str]:
    return await w.log(await w.stopped((await w.run(family))["taskArn"]))


async def test_files_written_by_one_task_are_read_by_the_next() -> None:
    writes = "import os; open(os.environ['WORKSPACE_PATH'] + '/note', 'w').write('hello')"
    reads = "import os; print(open(os.environ['WORKSPACE_PATH'] + '/note').read())"
    async with ecs_world({"writes:1": writes, "reads:1": reads}) as w:
        fs = await file_system(w.world)
        point = await access_point(w.world, fs, "/shared")
        for name in ("writes", "reads"):
            await w.register(name, CONTAINER, image=f"{name}:1", **mounted(fs, point))
        await w.stopped((await w.run("writes"))["taskArn"])
        assert await task_log(w, "reads") == ["hello"]


async def test_a_task_whose_file_system_is_missing_fails_to_start() -> None:
    async with ecs_world({"app:1": ""}) as w:
        await w.register("app", CONTAINER, image="app:1", **mounted("fs-0000", None))
        task = await w.stopped((await w.run("app"))["taskArn"])

    assert task["stopCode"] == "TaskFailedToStart"
    reason = task["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: ")
    assert 'Failed to resolve "fs-0000.efs.us-west-2.amazonaws.com"' in reason
