"""Files on EFS, with containers, from the AWS API's side: they outlive who wrote them, and access points part them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.docker.test_ecs import Account, shell
from tests.support.engine import BASE
from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.wiring import everything


@pytest_asyncio.fixture
async def account() -> AsyncIterator[Account]:
    cloud = Cloud(CloudConfig(insecure_keys="test", scale=60, runtime="docker", images={"base:1": BASE}), everything)
    await cloud.start()
    try:
        made = Account(cloud)
        await made.prepare()
        yield made
    finally:
        await cloud.stop()


class Files:
    """One file system with access points."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._id = ""

    async def make(self) -> None:
        call = self._account.aws.call
        self._id = (await call("efs", "CreateFileSystem", CreationToken="files"))["FileSystemId"]
        await call("efs", "CreateMountTarget", FileSystemId=self._id, SubnetId=self._account.subnet)

    async def access_point(self, path: str, uid: int) -> str:
        root = {"Path": path, "CreationInfo": {"OwnerUid": uid, "OwnerGid": uid, "Permissions": "0755"}}
        user = {"Uid": uid, "Gid": uid}
        made = await self._account.aws.call(
            "efs",
            "CreateAccessPoint",
            ClientToken=path,
            FileSystemId=self._id,
            PosixUser=user,
            RootDirectory=root,
        )
        return str(made["AccessPointId"])

    async def said(self, script: str, access_point: str, user: str = "1000") -> list[str]:
        """What a task says that has an access point at /data; it has stopped when this returns."""
        authorization = {"accessPointId": access_point, "iam": "ENABLED"}
        volume = {"fileSystemId": self._id, "transitEncryption": "ENABLED", "authorizationConfig": authorization}
        mounts = [{"sourceVolume": "data", "containerPath": "/data"}]
        container = shell("one", f"({script}) 2>&1", mountPoints=mounts, user=user)
        task = await self._account.run(container, volumes=[{"name": "data", "efsVolumeConfiguration": volume}])
        stopped = await self._account.stopped(task)
        assert stopped["stopCode"] == "EssentialContainerExited", stopped
        return await self._account.said(task, "one")


@pytest_asyncio.fixture
async def files(account: Account) -> Files:
    made = Files(account)
    await made.make()
    return made


async def test_files_of_a_container_are_read_by_the_next_when_it_is_gone(files: Files) -> None:
    point = await files.access_point("/shared", 1000)
    await files.said("mkdir /data/pages && echo written by A > /data/pages/file", point)
    assert await files.said("cat /data/pages/file && echo and by B >> /data/pages/file", point) == ["written by A"]
    assert await files.said("cat /data/pages/file", point) == ["written by A", "and by B"]


async def test_access_points_with_different_roots_do_not_see_each_other(files: Files) -> None:
    one, two = await files.access_point("/clients/one", 1000), await files.access_point("/clients/two", 2000)
    await files.said("echo secret > /data/file && ln -s ../two/file /data/theirs", one)
    await files.said("echo theirs > /data/file", two, user="2000")

    seen_by_two = await files.said("ls -A /data; cat /data/file; ls /data/.. | grep -c one", two, user="2000")
    seen_by_one = await files.said("cat /data/theirs; cat /data/../two/file; cat /data/file", one)

    assert seen_by_two == ["file", "theirs", "0"]
    assert [line.rpartition(": ")[2] for line in seen_by_one] == [*["No such file or directory"] * 2, "secret"]
