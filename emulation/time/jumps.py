"""Runs the authority of a clock that jumps, a process of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path

from ... import awsclock
from ...awsclock.page import ClockPageError, Page
from ...awsclock.quiescence import unsupported
from .clock import Clock

_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from awsclock.authority import main; main(sys.argv[2])"
_log = logging.getLogger("emulation.time")


class Jumps:
    """`start` once, `stop` at any time."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self, clock: Clock, folder: Path) -> None:
        """Make a clock page in a new folder, let the clock follow it, and start the authority.

        Raises ClockPageError when this machine cannot do it.
        """
        if why := unsupported():
            raise ClockPageError(f'{why}; next: set emulated.clock = "scaled"')
        clock.jump_with(Page.create(folder))
        packages = Path(awsclock.__file__).parent.parent
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _PROGRAM, str(packages), str(folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self._watching = asyncio.create_task(self._watch(self._process))

    async def stop(self) -> None:
        if self._process is None or self._watching is None:
            return
        self._watching.cancel()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        _log.error("the clock's authority has ended, exit code %d: AWS time passes as wall time from now on", code)
