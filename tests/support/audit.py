"""Runs to be killed, and strangers that look like what they leave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SLEEPS = "import time; time.sleep(120)"


@dataclass(frozen=True)
class TemporaryMachine:
    """A temporary folder that is all of the machine's to the kit's processes that are started here."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "TMPDIR": str(self.folder)}

    async def kit(self, *words: str, **options: Any) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "webordinary_testkit.kit", *words),
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            **options,
        )

    async def audit(self, *words: str) -> tuple[int, dict[str, Any]]:
        """`kit audit --json`: its exit code, and what it said."""
        process = await self.kit("audit", "--json", *words)
        output, _ = await process.communicate()
        try:
            return process.returncode or 0, json.loads(output)
        except ValueError:
            pytest.fail(f"kit audit said: {output.decode()}")

    def processes(self) -> list[int]:
        """Every process that has to do with this machine: its folder is somewhere in its environment."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and str(self.folder).encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return [pid for pid in found if pid != os.getpid()]

    def workdirs(self) -> list[Path]:
        return sorted(self.folder.glob("emulated-cloud-*"))


@dataclass(frozen=True)
class Strangers:
    """What no kit run made, and every audit must spare."""

    processes: Sequence[asyncio.subprocess.Process]
    paths: Sequence[Path]

    def verify_spared(self) -> None:
        assert [process.returncode for process in self.processes] == [None] * len(self.processes)
        assert [path for path in self.paths if not path.exists()] == []


@asynccontextmanager
async def strangers(machine: TemporaryMachine) -> AsyncIterator[Strangers]:
    """Processes named like a cloud, one of them with another token; folders named like a cloud's; a foreign note."""
    paths = [
        machine.folder / name for name in ("emulated-cloud-abcdef", "emulated-cloud-by-hand", "emulated-cloud-0123.bak")
    ]
    for path in paths:
        path.mkdir()
        (path / "precious").write_text("somebody's work")
    (paths[1] / ".emulation-workdir").write_text("0123456789abcdef")  # a cloud that was started by hand
    argv = (sys.executable, "-c", SLEEPS, "-m", "webordinary_testkit.emulation", "--config", "{}")
    running = [
        await asyncio.create_subprocess_exec(*argv, env={**os.environ, **variables}, start_new_session=True)
        for variables in ({}, {"EMULATION_RUN": "0" * 32}, {"NOT_EMULATION_RUN": "x", "TMPDIR": str(machine.folder)})
    ]
    try:
        yield Strangers(running, paths)
    finally:
        for process in running:
            if process.returncode is None:
                process.kill()
            await process.wait()
