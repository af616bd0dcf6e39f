"""Starts the emulated cloud as a child process, waits until it is ready, and ends it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...core.clock import Clock
from ...core.errors import InfraError, UsageError

_STOP_WITHIN = 15.0
"""Wall seconds for an orderly end before the process is killed."""
PULLED_WITHIN = 900.0
"""Wall seconds for a cloud that has to pull an image first."""


class Child:
    """A process that prints one JSON line when it is ready, and ends when its standard input is closed.

    If this process is killed, the system closes that pipe, and the child ends by itself.
    """

    def __init__(self, argv: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log = log
        self._log = log.open("ab")
        self._judged = 0
        self._clock = Clock()
        try:
            self._process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=dict(environ),
                start_new_session=True,
            )
        except OSError as error:
            self._log.close()
            raise InfraError(f"cannot start {argv[0]}: {error}") from error
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="kit-cloud-output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ready(self, within: float, say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
        """Wait for the readiness line, `within` wall seconds at most. Blocks.

        Progress lines (`{"progress": "pulling …"}`) go to `say` and extend the wait to `PULLED_WITHIN`.
        Raises `UsageError` when the child refused its configuration (exit code 2), else `InfraError`; both
        with its last lines.
        """
        began, doing = self._clock.monotonic(), ""
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, began + within - self._clock.monotonic()))
            except queue.Empty:
                last = f"; its last progress: {doing}" if doing else ""
                raise InfraError(
                    f"the emulated cloud was not ready within {within:g} s{last}{self._said()}", where=str(self.log)
                ) from None
            if (progress := _progress(line)) is None:
                return self._readiness(line)
            within, doing = max(within, PULLED_WITHIN), progress
            say(progress)

    def _readiness(self, line: bytes) -> dict[str, Any]:
        if not line:
            code = self._process.wait(timeout=_STOP_WITHIN)
            if code == 2:
                raise UsageError(f"the emulated cloud refused to start{self._said()}", where=str(self.log))
            raise InfraError(f"the emulated cloud ended at once, exit code {code}{self._said()}", where=str(self.log))
        try:
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise ValueError("not an object")
        except ValueError:
            raise InfraError(
                f"the emulated cloud's first line is no readiness line: {line[:200]!r}", where=str(self.log)
            ) from None
        return answer

    def ended(self) -> str | None:
        """None while it runs; otherwise one sentence with its exit code and last lines."""
        code = self._process.poll()
        return None if code is None else f"the emulated cloud ended by itself with exit code {code}{self._said()}"

    def new_exceptions(self) -> list[str]:
        """The exceptions whose tracebacks were logged since the last call, one line each."""
        with self.log.open("rb") as log:
            log.seek(self._judged)
            text = log.read().decode("utf-8", "replace")
            self._judged = log.tell()
        exceptions: list[str] = []
        inside = False
        for line in text.splitlines():
            if line.startswith("Traceback (most recent call last)"):
                inside = True
            elif inside and line and not line.startswith((" ", "\t")):
                exceptions.append(line)
                inside = False
        return exceptions

    def wait(self) -> str:
        """Block until it has ended; returns the sentence of `ended`."""
        self._process.wait()
        return self.ended() or ""

    def stop(self) -> None:
        """Close its standard input, and kill it when it does not end. Blocks; does nothing when it has ended."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        for force in (None, self._process.terminate, self._process.kill):
            if force is not None:
                force()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=_STOP_WITHIN if force is None else 5.0)
                break
        self._reader.join(timeout=1.0)
        self._log.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            while _progress(line := output.readline()) is not None:
                self._lines.put(line)
            self._lines.put(line)
            for line in output:
                with contextlib.suppress(ValueError):
                    self._log.write(line)

    def _said(self) -> str:
        """The last lines of its log, without tracebacks' inner frames."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        lines = [line for line in text.splitlines() if line.strip()][-6:]
        return ":\n  " + "\n  ".join(lines) if lines else ""


def _progress(line: bytes) -> str | None:
    """The text of a progress line; None for any other line."""
    try:
        return str(json.loads(line)["progress"])
    except (ValueError, KeyError, TypeError):
        return None


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """This process's environment without AWS variables: the cloud must not depend on the developer's account."""
    return {name: value for name, value in environ.items() if not name.startswith("AWS_")}
