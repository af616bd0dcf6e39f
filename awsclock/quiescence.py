"""Whether every thread of some processes sleeps, by Linux's /proc.

The kernel counts how often each thread was switched in (schedstat's third field). Between two looks at all threads
with equal counts and every state S none has run, if each had left its processor at the first: then nothing that they
wait for was on its way. A woken thread is runnable (R) at once, also by data over loopback.

A thread has state S already while it still runs, or is preempted, on its way to sleep, and may find that it need not.
`wchan` names where a thread sleeps only once it has left its processor. Packets that have woken no thread yet are in
the backlog of a processor.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterable

Fingerprint = list[tuple[str, int, bytes]]
"""Each thread, its state, and its counts."""

_FILES = ("schedstat", "stat", "children")
"""In this order: a thread that is woken between the first two has its old count but state R."""
_WHERE = "wchan"
_AWAKE = b"0"
"""What it says of a thread that has not left its processor."""
_PACKETS, _BACKLOG = "/proc/net/softnet_stat", 11
"""One line a processor, and the column that counts its packets."""


class NotQuiet(Exception):
    """A thread runs, or a process appeared or ended; the message says which."""


class Ended(NotQuiet):
    """A thread or a process ended while it was looked at."""


class Threads:
    """Keeps the files of /proc open: a look at 30 threads takes 0.1 ms."""

    def __init__(self, skip: Iterable[int] = ()) -> None:
        self._files: dict[str, int] = {}
        self._asleep: dict[str, bytes] = {}
        """The counts at which a thread has last left its processor."""
        self._skip = {str(pid) for pid in skip}

    def sleep(self, pids: Iterable[int], alive: Iterable[int]) -> Fingerprint:
        """As `look`, after which all of them have left their processors, and no packet is on its way to one."""
        seen = self.look(pids, alive)
        for base, state, counts in seen:
            if self._asleep.get(base) == counts:
                continue
            try:
                awake = state != ord("Z") and self._read(base + _WHERE) == _AWAKE
            except OSError:
                self._close(base)
                raise Ended(f"{base} has just ended") from None
            if awake:
                raise NotQuiet(f"{base} is about to sleep")
            self._asleep[base] = counts
        for line in self._read(_PACKETS).splitlines():
            if int(line.split()[_BACKLOG], 16):
                raise NotQuiet("a packet is about to be delivered")
        return seen

    def look(self, pids: Iterable[int], alive: Iterable[int]) -> Fingerprint:
        """All threads of these processes and their descendants. Raises NotQuiet.

        A stopped process (SIGSTOP) is quiet, unless it is one of `alive`."""
        seen: Fingerprint = []
        never_stopped = {str(pid) for pid in alive}
        todo = [str(pid) for pid in pids]
        done = set(self._skip)
        threads: set[str] = set()
        while todo:
            pid = todo.pop()
            if pid in done:
                continue
            done.add(pid)
            try:
                tids = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - pathlib takes three times as long
            except OSError:
                raise Ended(f"process {pid} has just ended") from None
            for tid in tids:
                base = f"/proc/{pid}/task/{tid}/"
                threads.add(base)
                try:
                    counts, status, children = (self._read(base + name) for name in _FILES)
                except OSError:
                    self._close(base)
                    raise Ended(f"a thread of process {pid} has just ended") from None
                end = status.rindex(b")")
                state = status[end + 2]
                if state not in b"SZTt" or (state in b"Tt" and pid in never_stopped):
                    name = status[status.index(b"(") + 1 : end].decode("utf-8", "replace")
                    raise NotQuiet(f"{name} (process {pid}, thread {tid}) {_STATES.get(state, 'is ' + chr(state))}")
                seen.append((base, state, counts))
                todo += children.decode().split()
        if len(self._files) > (len(_FILES) + 1) * (len(threads) + 200):
            for base in {path.rpartition("/")[0] + "/" for path in self._files} - threads:
                self._close(base)
        return seen

    def _read(self, path: str) -> bytes:
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(file, 4096, 0)

    def _close(self, base: str) -> None:
        self._asleep.pop(base, None)
        for name in (*_FILES, _WHERE):
            if (file := self._files.pop(base + name, None)) is not None:
                os.close(file)


_STATES = {
    ord("R"): "is running",
    ord("D"): "waits for a disk",
    ord("T"): "is stopped by a signal",
    ord("t"): "is stopped by a debugger",
}


def state(pid: int) -> str:
    """The state of a process's main thread, for example S; empty when there is no such process."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - fast
        status = file.read()
        return chr(status[status.rindex(b")") + 2])
    return ""


def unsupported() -> str:
    """Why the threads of this machine cannot be watched; empty when they can."""
    base = f"/proc/self/task/{os.getpid()}/"
    for path in (*(base + name for name in _FILES), _PACKETS):
        try:
            _content(path)
        except OSError as error:
            return f"this machine has no {path} ({error.strerror}): only Linux shows what its threads do"
    return "" if _says_where_threads_sleep() else f"this machine's {base}{_WHERE} does not say where a thread sleeps"


def _says_where_threads_sleep() -> bool:
    over = threading.Event()
    sleeper = threading.Thread(target=over.wait, daemon=True)
    sleeper.start()
    try:
        for _ in range(1000):
            if _content(f"/proc/self/task/{sleeper.native_id}/{_WHERE}") != _AWAKE:
                return True
            time.sleep(0.001)
        return False
    finally:
        over.set()


def _content(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - as above
        return file.read()
