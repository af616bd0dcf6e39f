"""Nothing outlives a killed cloud, and nothing else is touched."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from webordinary_testkit.emulation.core import guardian
from webordinary_testkit.emulation.core.guardian import MARKER, Guardian, mark, remove


def sleeper() -> subprocess.Popen[bytes]:
    """A process in a group of its own that would stay for a minute."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)


async def until(true: Callable[[], bool]) -> bool:
    for _ in range(500):
        if true():
            return True
        await asyncio.sleep(0.01)
    return False


class TestOrders:
    """The guardian's own main, in this process."""

    def test_at_the_end_of_the_pipe_groups_die_and_the_workdir_goes(self, tmp_path: Path) -> None:
        workdir = fresh(tmp_path)
        process = sleeper()

        guardian.serve(io.StringIO(f"workdir {mark(workdir)} {workdir}\ngroup {process.pid}\n"))

        assert process.wait(5) == -signal.SIGKILL
        assert not workdir.exists()

    def test_done_leaves_everything_alone(self, tmp_path: Path) -> None:
        workdir = fresh(tmp_path)
        process = sleeper()

        guardian.serve(io.StringIO(f"workdir {mark(workdir)} {workdir}\ngroup {process.pid}\ndone\n"))

        assert process.poll() is None
        assert workdir.exists()
        process.kill()
        process.wait()

    def test_a_forgotten_group_is_left_alone(self) -> None:
        process = sleeper()

        guardian.serve(io.StringIO(f"group {process.pid}\nforget {process.pid}\n"))

        assert process.poll() is None
        process.kill()
        process.wait()

    def test_a_group_that_is_gone_does_not_stop_the_others(self) -> None:
        gone, living = sleeper(), sleeper()
        gone.kill()
        gone.wait()

        guardian.serve(io.StringIO(f"group {gone.pid}\ngroup {living.pid}\n"))

        assert living.wait(5) == -signal.SIGKILL


class TestWorkdir:
    def test_a_folder_without_this_runs_mark_is_never_removed(self, tmp_path: Path) -> None:
        unmarked, other = fresh(tmp_path, "a"), fresh(tmp_path, "b")
        mark(other)

        assert not remove(unmarked, "token")
        assert not remove(other, "token of another run")
        assert unmarked.exists() and other.exists()

    def test_a_link_to_a_marked_folder_is_not_followed(self, tmp_path: Path) -> None:
        real = fresh(tmp_path)
        token = mark(real)
        link = tmp_path / "link"
        link.symlink_to(real)

        assert not remove(link, token)
        assert real.exists()

    def test_a_folder_with_something_in_it_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "precious").touch()

        with pytest.raises(ValueError, match="not empty"):
            mark(tmp_path)

    def test_a_folder_of_another_run_is_refused(self, tmp_path: Path) -> None:
        mark(tmp_path)

        with pytest.raises(ValueError, match="another run"):
            mark(tmp_path)


class TestGuardian:
    """The process, and the cloud's side of it."""

    async def test_done_ends_it_and_removes_nothing(self, tmp_path: Path) -> None:
        workdir = fresh(tmp_path)
        watching = Guardian()
        await watching.start(workdir, mark(workdir))
        pid = watching.pid
        assert pid is not None
        await watching.done()
        await watching.done()

        assert (workdir / MARKER).exists()
        assert not alive(pid)

    async def test_lives_in_a_session_of_its_own(self) -> None:
        watching = Guardian()
        await watching.start()
        assert watching.pid is not None
        try:
            assert os.getsid(watching.pid) == watching.pid
        finally:
            await watching.done()

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc to know when it is ready")
    async def test_only_the_pipe_ends_it(self) -> None:
        watching = Guardian()
        await watching.start()
        pid = watching.pid
        assert pid is not None
        assert await until(lambda: ignores_sigterm(pid))
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)
        await asyncio.sleep(0.05)

        assert alive(pid)
        await watching.done()

    async def test_its_death_does_not_harm_the_cloud(self) -> None:
        watching = Guardian()
        await watching.start()
        assert watching.pid is not None
        os.kill(watching.pid, signal.SIGKILL)
        for _ in range(3):
            await watching.watch(1 << 22)
            await asyncio.sleep(0.01)

        await watching.done()

    async def test_a_killed_cloud_takes_its_groups_and_workdir_along(self, tmp_path: Path) -> None:
        workdir = fresh(tmp_path)
        program = textwrap.dedent(
            """
            import asyncio, subprocess, sys
            from pathlib import Path
            from webordinary_testkit.emulation.core.guardian import Guardian, mark

            async def cloud():
                guardian = Guardian()
                await guardian.start(Path(sys.argv[1]), mark(Path(sys.argv[1])))
                command = [sys.executable, "-c", "import time; time.sleep(60)"]
                task = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
                await guardian.watch(task.pid)
                print(task.pid, flush=True)
                await asyncio.sleep(60)

            asyncio.run(cloud())
            """
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(workdir), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        task = int(await process.stdout.readline())
        assert alive(task)
        process.kill()
        await process.wait()

        assert await until(lambda: not alive(task))
        assert await until(lambda: not workdir.exists())


def ignores_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = (line.split()[1] for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)


def fresh(tmp_path: Path, name: str = "workdir") -> Path:
    workdir = tmp_path / name
    workdir.mkdir()
    return workdir


def alive(pid: int) -> bool:
    """Also False for a zombie that nobody has waited for."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")
