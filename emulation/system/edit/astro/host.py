"""The Node process in which the dev servers run: started when it is first needed, and again when it has died."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .toolchain import Toolchain

log = logging.getLogger(__name__)

_PROGRAM = Path(__file__).with_name("host.mjs")
_ANSWERS_WITHIN = 120.0
"""Wall seconds: a quarter of a CPU takes 20 for Astro's start."""
_STOPS_WITHIN = 2.0
"""Wall seconds between the end of its input and its being killed."""
_LONGEST_LINE = 2**20

Event = tuple[str, str]
"""`add`, `change` or `unlink`, and a path from the site's root."""


class HostError(Exception):
    """The host refused an order or has died; the message says why."""


class Host:
    def __init__(self, toolchain: Toolchain, home: Path) -> None:
        """`home` is a folder of its own, for whatever Node and the site's code write."""
        self._toolchain = toolchain
        self._home = home
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last = 0
        self.generation = 0
        """How often it was started; servers of an earlier one are gone."""

    @property
    def alive(self) -> bool:
        return self._reading is not None and not self._reading.done()

    async def ready(self) -> None:
        """Have it running. Raises `HostError`."""
        async with self._starting:
            if not self.alive:
                await self._start()

    async def start(self, session: str, root: Path, base: str, hot: str) -> int:
        """Start a session's dev server; returns its port on 127.0.0.1. `hot` is its socket's path, from `base`."""
        await self.ready()
        said = await self._ask("start", session=session, root=str(root), base=base, hot=hot)
        return int(said["port"])

    async def changed(self, session: str, events: Sequence[Event]) -> None:
        """Tell a session's dev server of changed files; returns when it has taken them in."""
        await self._ask("changed", session=session, events=events)

    async def stop(self, session: str) -> None:
        await self._ask("stop", session=session)

    async def close(self) -> None:
        """End the process, and with it all dev servers."""
        async with self._starting:
            process, self._process = self._process, None
            if process is None:
                return
            assert process.stdin is not None
            process.stdin.close()
            try:
                async with asyncio.timeout(_STOPS_WITHIN):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
            if self._reading is not None:
                await self._reading

    async def _start(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                self._toolchain.node,
                str(_PROGRAM),
                str(self._toolchain.modules),
                str(writing),
                stdin=asyncio.subprocess.PIPE,
                cwd=self._home,
                env=self._environment(),
                pass_fds=(writing,),
            )
        except OSError as error:
            os.close(reading)
            raise HostError(f"{self._toolchain.node} could not be run: {error}") from None
        finally:
            os.close(writing)
        self._process = process
        self.generation += 1
        answers = asyncio.StreamReader(limit=_LONGEST_LINE)
        pipe = os.fdopen(reading, "rb", 0)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(answers), pipe)
        ready = self._expect(0)
        self._reading = asyncio.create_task(self._read(answers, process), name="answers of Astro's host")
        said = await self._answer("start", ready)
        log.info("Astro is loaded", extra={"astro": said["ready"]})

    async def _ask(self, order: str, **details: Any) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or not self.alive:
            raise HostError("Astro's host does not run")
        self._last += 1
        number = self._last
        answer = self._expect(number)
        try:
            process.stdin.write(json.dumps({"id": number, "order": order, **details}).encode() + b"\n")
            await process.stdin.drain()
        except (ConnectionError, RuntimeError):
            self._waiting.pop(number, None)
            raise HostError("Astro's host has died") from None
        return await self._answer(order, answer)

    def _expect(self, number: int) -> asyncio.Future[dict[str, Any]]:
        return self._waiting.setdefault(number, asyncio.get_running_loop().create_future())

    async def _answer(self, order: str, answer: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN):
                said = await answer
        except TimeoutError:
            raise HostError(f"Astro's host did not answer to {order!r} within {_ANSWERS_WITHIN:g} s") from None
        if "error" in said:
            raise HostError(str(said["error"]))
        return said

    async def _read(self, answers: asyncio.StreamReader, process: asyncio.subprocess.Process) -> None:
        try:
            while line := await answers.readline():
                said = json.loads(line)
                waiting = self._waiting.pop(said.get("id", 0), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)
        except ValueError:
            log.exception("Astro's host said what it should not")
            process.kill()
        status = await process.wait()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result({"error": f"Astro's host ended with status {status}; see the container's log"})
        self._waiting.clear()

    def _environment(self) -> dict[str, str]:
        """Nothing of the container's own: a site's code runs in there, and has no business with its credentials."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "TMPDIR": str(self._home),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "ASTRO_TELEMETRY_DISABLED": "1",
            "ASTRO_DISABLE_UPDATE_CHECK": "true",
            "NO_COLOR": "1",
        }
