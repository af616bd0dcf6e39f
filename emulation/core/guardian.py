"""A small process that cleans up after a killed cloud.

    cloud --(stdin: workdir, group, forget, afterwards, done)--> guardian

The pipe closes when the cloud dies, however it dies. Without a `done` before that, the guardian sends SIGKILL to every
watched process group, runs the `afterwards` programs (one removes containers, for example), and removes the workdir.
It runs in a separate session, which the terminal's Ctrl-C does not reach. It uses little of the standard library and
imports the rest only where it is used: started with `python -I -S`, it is ready in 25 ms and takes 11 MB.

It removes the workdir only while the folder holds the marker file with this run's token: a path that was reused for
something else is left alone.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import TextIO

MARKER = ".emulation-workdir"


def mark(workdir: Path) -> str:
    """Put this run's marker into a new workdir; returns its token. Raises ValueError when the folder is not empty or
    another run's."""
    marker = workdir / MARKER
    if "\n" in str(workdir):
        raise ValueError(f"the workdir's path must be one line, got {str(workdir)!r}")
    if marker.exists():
        raise ValueError(f"{workdir} is the workdir of another run: name another, or remove it if that run is over.")
    if any(workdir.iterdir()):
        raise ValueError(f"{workdir} is not empty; the workdir is removed at the end, so it must be a fresh folder.")
    import secrets  # noqa: PLC0415 - not for the guardian itself

    token = secrets.token_hex(16)
    marker.write_text(token)
    return token


def remove(workdir: Path, token: str) -> bool:
    """Remove a workdir that still has this run's marker; returns whether it had."""
    try:
        ours = not workdir.is_symlink() and (workdir / MARKER).read_text() == token
    except OSError:
        return False
    if ours:
        import shutil  # noqa: PLC0415 - only at the end
        import time  # noqa: PLC0415

        for _ in range(100):  # a killed task may still be writing for a moment
            shutil.rmtree(workdir, ignore_errors=True)
            if not workdir.exists():
                break
            time.sleep(0.02)
    return ours


def serve(lines: TextIO) -> None:
    """The guardian's main loop: read orders until the pipe closes, then clean up unless there was a `done`."""
    groups: set[int] = set()
    workdir: tuple[Path, str] | None = None
    programs: list[list[str]] = []
    for line in lines:
        order, _, argument = line.rstrip("\n").partition(" ")
        if order == "workdir":
            token, _, path = argument.partition(" ")
            workdir = Path(path), token
        elif order == "group":
            groups.add(int(argument))
        elif order == "forget":
            groups.discard(int(argument))
        elif order == "afterwards":
            programs.append(argument.split("\t"))
        elif order == "done":
            return
    for group in groups:
        if group > 1:
            try:
                os.killpg(group, signal.SIGKILL)
            except OSError:
                continue
    for argv in programs:
        _run(argv)
    if workdir is not None:
        remove(*workdir)


def _run(argv: list[str]) -> None:
    import subprocess  # noqa: PLC0415 - only where containers are to be removed

    try:
        subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return


class Guardian:
    """The cloud's end: start it first, `watch` every process group, and call `done` at an orderly end."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self, workdir: Path | None = None, token: str = "") -> None:
        """Start the process. With a workdir and the token that `mark` returned, it also removes the workdir."""
        import asyncio  # noqa: PLC0415 - not for the guardian itself

        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", __file__),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,  # readers of the cloud's output must see its end
            start_new_session=True,
        )
        if workdir is not None:
            await self._send(f"workdir {token} {workdir}")

    async def watch(self, pgid: int) -> None:
        """Kill this process group if the cloud dies. Returns when the order is in the pipe."""
        await self._send(f"group {pgid}")

    async def forget(self, pgid: int) -> None:
        """Stop watching a group that has ended: its number may be reused."""
        await self._send(f"forget {pgid}")

    async def afterwards(self, argv: list[str]) -> None:
        """Run this program if the cloud dies, after the process groups are killed. No word may contain a tab."""
        await self._send("afterwards " + "\t".join(argv))

    async def done(self) -> None:
        """End the guardian without killing or removing anything. Idempotent, also when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            assert process.stdin is not None
            process.stdin.write(b"done\n")
            process.stdin.close()
        except (OSError, RuntimeError):
            pass
        await process.wait()

    async def _send(self, line: str) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        try:
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # only the pipe ends it
    serve(sys.stdin)
