"""`aws ecs execute-command`, as a user types it: the AWS CLI, this package's session-manager-plugin, a terminal."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.ecs import client_of, eventually
from webordinary_testkit.kit.ecs_exec.plugin import write_launcher

pytestmark = pytest.mark.asyncio(loop_scope="module")
SLEEPER = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); signal.pause()"
BESIDE = Path(sys.executable).parent


@dataclass(frozen=True)
class Shell:
    """What a user who typed the lines of `kit up` has."""

    url: str
    task: str
    programs: Path
    """The folder that `kit up` adds to PATH."""

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "TERM": "dumb",
        }

    def argv(self, command: str, task: str = "") -> list[str]:
        # By this Python, so that the CLI's own first line need not be right.
        cli = [sys.executable, str(BESIDE / "aws"), "ecs", "execute-command", "--interactive"]
        return [*cli, "--cluster", "c", "--task", task or self.task, "--command", command]

    async def run(self, command: str, task: str = "") -> tuple[int | None, str, str]:
        """Without a terminal: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            *self.argv(command, task),
            env=self.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
        return process.returncode, out.decode(), err.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shell(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shell]:
    """One cloud for all tests, and one task."""
    assert (BESIDE / "aws").exists(), f"no aws beside {sys.executable}: pip install -e '.[dev]'"
    programs = write_launcher(tmp_path_factory.mktemp("programs") / "bin").parent
    config = {"insecure_keys": "test", "programs": {"app:1": [sys.executable, "-S", "-c", SLEEPER]}}
    cloud = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps(config)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert cloud.stdout is not None
    assert cloud.stdin is not None
    try:
        url = json.loads(await cloud.stdout.readline())["aws"]
        yield Shell(url, await started_task(url), programs)
    finally:
        cloud.stdin.close()
        await cloud.wait()


async def started_task(url: str) -> str:
    ec2, ecs = client_of(url, "ec2"), client_of(url, "ecs")

    def start() -> str:
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
        ecs.create_cluster(clusterName="c")
        ecs.register_task_definition(
            family="app",
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": "app", "image": "app:1"}],
        )
        task: str = ecs.run_task(
            cluster="c",
            taskDefinition="app",
            launchType="FARGATE",
            enableExecuteCommand=True,
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
        )["tasks"][0]["taskArn"]
        return task

    task = await asyncio.to_thread(start)

    def runs() -> bool:
        return bool(ecs.describe_tasks(cluster="c", tasks=[task])["tasks"][0]["lastStatus"] == "RUNNING")

    await eventually(lambda: asyncio.to_thread(runs), within=20)
    return task


class Terminal:
    """A user at a terminal of a size of its own."""

    def __init__(self) -> None:
        self._master, self.slave = pty.openpty()
        os.set_blocking(self._master, False)
        self.seen = b""

    async def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    async def until(self, text: bytes, within: float = 20) -> None:
        """Read until this comes; what was read so far is forgotten."""
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._master, readable.set)
        try:
            async with asyncio.timeout(within):
                while text not in self.seen:
                    await readable.wait()
                    readable.clear()
                    with suppress(BlockingIOError):
                        self.seen += os.read(self._master, 4096)
        except TimeoutError:
            pytest.fail(f"expected {text!r} within {within} s, the terminal shows {self.seen!r}")
        finally:
            loop.remove_reader(self._master)
        self.seen = self.seen.partition(text)[2]

    def close(self) -> None:
        os.close(self._master)
        os.close(self.slave)


async def test_a_user_types_into_a_shell_in_the_container_and_leaves_it(shell: Shell) -> None:
    terminal = Terminal()
    options: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.slave)
    cli = await asyncio.create_subprocess_exec(
        *shell.argv("/bin/sh"), env=shell.environment(), start_new_session=True, **options
    )
    try:
        await terminal.until(b"Starting session with SessionId: ecs-execute-command-")
        await terminal.type(b"PS1='ready> '; echo $((6*7)) && pwd\n")
        await terminal.until(b"42\r\n")
        await terminal.until(b"/app\r\n")  # the task's own folder
        await terminal.type(b"sh -c 'echo be\"gu\"n; exec sleep 60'\n")
        await terminal.until(b"begun\r\n")
        await terminal.type(b"\x03")  # Ctrl-C ends the command in the container, not the session
        await terminal.until(b"ready> ")
        await terminal.type(b"exit\n")
        await terminal.until(b"Exiting session with sessionId: ecs-execute-command-")
        assert await asyncio.wait_for(cli.wait(), 20) == 0
    finally:
        if cli.returncode is None:
            cli.kill()
            await cli.wait()
        terminal.close()


async def test_a_single_command_shows_its_output_also_where_there_is_no_terminal(shell: Shell) -> None:
    code, out, err = await shell.run("printf '%s-%s' from inside")

    assert (code, err) == (0, "")
    assert "from-inside" in out


async def test_a_task_that_is_not_there_is_the_clis_own_error(shell: Shell) -> None:
    code, _, err = await shell.run("ls", task="0" * 32)

    assert code not in (0, None)
    assert "InvalidParameterException" in err


async def test_a_cluster_whose_sessions_must_be_encrypted_is_told_by_its_setting(shell: Shell) -> None:
    key = "arn:aws:kms:us-west-2:123456789012:key/1234abcd"
    demands = {"executeCommandConfiguration": {"kmsKeyId": key, "logging": "DEFAULT"}}
    update = client_of(shell.url, "ecs").update_cluster
    await asyncio.to_thread(update, cluster="c", configuration=demands)
    try:
        _, out, err = await shell.run("printf '%s-%s' from inside")
    finally:
        none = {"executeCommandConfiguration": {"logging": "DEFAULT"}}
        await asyncio.to_thread(update, cluster="c", configuration=none)

    assert f"encrypt the session with the KMS key {key}" in err
    assert "executeCommandConfiguration.kmsKeyId" in err
    assert "from-inside" not in out
