"""The labels on everything a run makes in the engine: whose it is, and when it is nobody's any more.

`kit audit` reads them: what a lost note does not tell, they do.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from .sweep import RUN

PREFIX = RUN.removesuffix("run")
PID, BIRTH, HOST, EXPIRES, TOKEN = (PREFIX + name for name in ("pid", "birth", "host", "expires", "token"))
TOKEN_VARIABLE = "EMULATION_RUN"
"""In this process's environment: what an audit knows the run by, from before anything of it existed."""
LIFETIME = 24 * 3600.0
"""Wall seconds after which another machine, which cannot ask for the process, takes a run for over."""


@dataclass(frozen=True)
class Owner:
    """One run of one cloud."""

    run: str
    pid: int
    birth: str
    """When its process started, as its machine tells it: a pid is used again, both together are not."""
    host: str
    expires: int
    """Epoch seconds, wall time."""
    token: str = ""

    @classmethod
    def this_process(cls, run: str, now: float) -> Owner:
        pid = os.getpid()
        return cls(run, pid, birth(pid), socket.gethostname(), int(now + LIFETIME), os.environ.get(TOKEN_VARIABLE, ""))

    def labels(self) -> dict[str, str]:
        told = {RUN: self.run, PID: str(self.pid), BIRTH: self.birth, HOST: self.host, EXPIRES: str(self.expires)}
        return told | ({TOKEN: self.token} if self.token else {})


def birth(pid: int) -> str:
    """When a process of this machine started; "" when there is none."""
    if sys.platform == "linux":
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        except OSError:
            return ""
        fields = stat.rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else f"{boot}/{fields[22 - 3]}"
    import subprocess  # noqa: PLC0415 - only where there is no /proc

    # As `kit.audit.machine` asks for it.
    told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return told.stdout.strip()
