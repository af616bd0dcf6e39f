"""The labels on everything that a run makes in the engine: `kit audit` reads them when the run's note is lost."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

from ..core.run_token import RUN_VARIABLE
from .sweep import RUN

PREFIX = RUN.removesuffix("run")
PID, BIRTH, HOST, EXPIRES, TOKEN = (PREFIX + name for name in ("pid", "birth", "host", "expires", "token"))
LIFETIME = 24 * 3600.0
"""Wall seconds after which other machines, which cannot look for the process, consider the run dead."""


@dataclass(frozen=True)
class Owner:
    """One run of one cloud."""

    run: str
    pid: int
    birth: str
    """The start time of its process: pids are reused, the pair is not."""
    host: str
    expires: int
    """Epoch seconds, wall time."""
    token: str = ""

    @classmethod
    def this_process(cls, run: str, now: float) -> Owner:
        pid = os.getpid()
        return cls(run, pid, birth(pid), socket.gethostname(), int(now + LIFETIME), os.environ.get(RUN_VARIABLE, ""))

    def labels(self) -> dict[str, str]:
        labels = {RUN: self.run, PID: str(self.pid), BIRTH: self.birth, HOST: self.host, EXPIRES: str(self.expires)}
        return labels | ({TOKEN: self.token} if self.token else {})


def birth(pid: int) -> str:
    """When a process started, as `kit.audit.machine` writes it; "" when it is gone or a zombie."""
    import psutil  # noqa: PLC0415 - slow to import: only where containers run

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return ""
