"""CPU seconds of a process tree by kind of process, sampled from Linux's /proc."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_EVERY = 0.02
"""Wall seconds between two looks: what a process uses after the last look at it goes to its parent's `reaped` time."""
KINDS = {
    "webordinary_testkit.kit": "kit",
    "webordinary_testkit.emulation": "cloud",
    "webordinary_testkit.emulation.system.hermes": "Hermes",
    "webordinary_testkit.emulation.system.edit": "edit",
}
"""What `python -m` runs, and the kind it counts as."""


@dataclass
class _Process:
    kind: str
    own: float = 0.0
    """User and system time, s."""
    reaped: float = 0.0
    """The same of its children that have ended and were waited for, s."""
    children: set[tuple[int, str]] = field(default_factory=set)


class Usage:
    """Watches a process and its descendants until `stop`."""

    def __init__(self, root: int) -> None:
        self._processes: dict[tuple[int, str], _Process] = {}
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def by_kind(self) -> Counter[str]:
        """CPU seconds by kind. Processes too short to be seen count as "short" (`git`, mostly)."""
        totals: Counter[str] = Counter()
        for process in self._processes.values():
            totals[process.kind] += process.own
            seen = sum(self._processes[child].own + self._processes[child].reaped for child in process.children)
            totals["short"] += max(0.0, process.reaped - seen)
        return totals

    def starts(self) -> Counter[str]:
        """Processes seen, by kind."""
        return Counter(process.kind for process in self._processes.values())

    def _watch(self) -> None:
        while not self._over.wait(_EVERY):
            self._look()

    def _look(self) -> None:
        queue: list[tuple[int, tuple[int, str] | None]] = [(self._root, None)]
        while queue:
            pid, parent = queue.pop()
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                below = [
                    int(child)
                    for thread in Path(f"/proc/{pid}/task").iterdir()
                    for child in (thread / "children").read_text().split()
                ]
            except OSError:
                continue
            key = (pid, fields[19])
            process = self._processes.get(key) or self._processes.setdefault(key, _Process(""))
            user, system, reaped_user, reaped_system = (int(text) / _TICK for text in fields[11:15])
            process.own, process.reaped = user + system, reaped_user + reaped_system
            if process.kind in ("", "fork server"):
                process.kind = _kind(pid)
            if parent is not None:
                self._processes[parent].children.add(key)
            queue += [(child, key) for child in below]


@contextmanager
def usage(root: int) -> Iterator[Usage]:
    watching = Usage(root)
    try:
        yield watching
    finally:
        watching.stop()


def _kind(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    if "-m" in words and (module := words[words.index("-m") + 1 :][:1]):
        return KINDS.get(module[0], module[0])
    return "fork server" if any(word.endswith("warm/server.py") for word in words) else Path(words[0]).name
