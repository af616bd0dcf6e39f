"""The clock page: a memory-mapped file with AWS time and one slot for each event loop that takes part.

AWS time in ns = CLOCK_MONOTONIC + offset. The offset only grows: a jump of the clock is an addition to one aligned
word, which readers see at once and never torn. So reading the time takes no lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SLOTS = 256
_HEADER, _SLOT = 1024, 256
"""Bytes."""
_SIZE = _HEADER + SLOTS * _SLOT
_MAGIC = 0x41575301
_TEXT, _HELD = 64, 128
"""Where in its slot the name of a participant and the reason of its hold are, in bytes; each ends where the next
begins."""
_NOTE = (256, _HEADER)
"""The bytes of the header that say what keeps the clock from jumping."""

BUSY, IDLE = 1, 2
"""States of a slot."""
NEVER = 1 << 62
"""The deadline of a slot without timers, in ns."""
START_SECOND = 20
"""AWS time starts at this second of a minute, so that the ticks of alarms lie the same in every run."""

_PID, _START, _STATE, _VERSION, _DEADLINE, _HOLDS, _DRIVES, _TASK = range(8)
_claiming = threading.Lock()
"""The file lock is between processes only."""


@dataclass(frozen=True)
class Slot:
    """What a slot says at one moment."""

    index: int
    pid: int
    started: int
    state: int
    version: int
    deadline: int
    """AWS time in ns, or NEVER."""
    holds: int
    drives: bool
    """Whether its process is a driver (scenario, test) which waits for an AWS deadline now."""
    task: bool
    """Whether its process is a task's, which faults may stop."""


class ClockPageError(OSError):
    """The page cannot be made, or read, where it is."""


class Page:
    """A mapped page. `create` makes one in a folder, `Page(folder)` opens it."""

    def __init__(self, folder: Path) -> None:
        """Raises ClockPageError when there is none, or when the file system has no shared memory."""
        self.folder = folder
        self.path = folder / "page"
        try:
            with self.path.open("r+b") as file:
                self._map = mmap.mmap(file.fileno(), _SIZE)
        except (OSError, ValueError) as error:
            raise ClockPageError(
                f"the clock page {self.path} cannot be mapped ({error}): the folder must be on this machine's own file "
                'system, with mmap; next: set TMPDIR to such a folder, or emulated.clock = "scaled"'
            ) from error
        self._words = memoryview(self._map).cast("q")
        if self._words[0] != _MAGIC:
            raise ClockPageError(f"{self.path} is no clock page of this version")

    @classmethod
    def create(cls, folder: Path) -> Page:
        """A page whose time begins in the next minute, at its START_SECOND. Raises ClockPageError."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            content = bytearray(_SIZE)
            words = memoryview(content).cast("q")
            words[0] = _MAGIC
            begins = (time.time_ns() // 60_000_000_000 + 1) * 60_000_000_000 + START_SECOND * 1_000_000_000
            words[1] = begins - time.monotonic_ns()
            (folder / "page").write_bytes(content)
            os.mkfifo(folder / "authority", 0o600)
        except OSError as error:
            raise ClockPageError(f"the clock page cannot be made in {folder}: {error}") from error
        return cls(folder)

    def close(self) -> None:
        """Unmap it; nothing reads it afterwards."""
        self._words.release()
        self._map.close()

    def now(self) -> int:
        """AWS time, epoch nanoseconds."""
        return time.monotonic_ns() + self._words[1]

    @property
    def jumps(self) -> int:
        """How often the clock has jumped."""
        return self._words[2]

    @property
    def note(self) -> str:
        """What keeps the clock from jumping, in words; empty while it jumps."""
        return self._text(*_NOTE)

    @note.setter
    def note(self, text: str) -> None:
        self._write_text(text, *_NOTE)

    def jump(self, to: int) -> None:
        """Move AWS time forward to `to`, in ns; no jump when that has passed by itself. For the authority alone."""
        ahead = to - self.now()
        if ahead > 0:
            self._words[2] += 1
            self._words[1] += ahead

    def slots(self) -> list[Slot]:
        """The slots in use, in their order."""
        words, found = self._words, []
        for index in range(words[3]):
            at = _at(index)
            if words[at + _PID]:
                pid, began, state, version, deadline, holds, drives, task = words[at : at + 8]
                found.append(Slot(index, pid, began, state, version, deadline, holds, bool(drives), bool(task)))
        return found

    def claim(self, name: str, *, task: bool = False) -> int:
        """A free slot, this process's until another takes it; its index. It is busy. Raises ClockPageError when all
        are taken."""
        with _claiming, self.path.open("r+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX)
            words = self._words
            index = next((each for each in range(SLOTS) if not words[_at(each) + _PID]), None)
            if index is None:
                raise ClockPageError(f"all {SLOTS} slots of the clock page {self.path} are taken")
            at = _at(index)
            for word, value in enumerate((BUSY, 0, NEVER, 0, 0, task), start=_STATE):
                words[at + word] = value
            self._name(index, name)
            self.take(index)
            words[3] = max(words[3], index + 1)
        return index

    def take(self, index: int, pid: int | None = None) -> None:
        """Make a slot this process's, or `pid`'s."""
        at, pid = _at(index), os.getpid() if pid is None else pid
        self._words[at + _START] = started(pid)
        self._words[at + _PID] = pid

    def give(self, index: int, pid: int) -> None:
        """Make a slot of this process that of `pid`, unless that one has taken it by now. It is busy until it joins."""
        if self._words[_at(index) + _PID] == os.getpid():
            self.take(index, pid)

    def free(self, index: int, pid: int) -> None:
        """Give a slot of this process back, unless another has it by now."""
        if self._words[_at(index) + _PID] == pid:
            self._words[_at(index) + _PID] = 0

    def busy(self, index: int) -> None:
        at = _at(index)
        self._words[at + _STATE] = BUSY
        self._words[at + _VERSION] += 1

    def idle(self, index: int, deadline: int, *, drives: bool) -> bool:
        """Publish that the slot's loop has nothing to run before `deadline`; whether all others are idle too."""
        words, at = self._words, _at(index)
        words[at + _DEADLINE] = deadline
        words[at + _DRIVES] = drives
        words[at + _VERSION] += 1
        words[at + _STATE] = IDLE
        return all(
            words[each + _STATE] != BUSY
            for each in range(_HEADER // 8, _HEADER // 8 + words[3] * _SLOT // 8, _SLOT // 8)
            if words[each + _PID]
        )

    def hold(self, index: int, count: int, reason: str) -> None:
        """Keep the clock from jumping while `count` is above 0."""
        self._words[_at(index) + _HOLDS] = count
        self._write_text(reason, self._byte(index) + _HELD, self._byte(index) + _SLOT)

    def name(self, index: int) -> str:
        return self._text(self._byte(index) + _TEXT, self._byte(index) + _HELD)

    def held(self, index: int) -> str:
        """Why a slot holds the clock."""
        return self._text(self._byte(index) + _HELD, self._byte(index) + _SLOT)

    def fifo(self, index: int | None = None) -> int:
        """A file descriptor of the pipe that wakes a slot, or the authority; for reading and writing."""
        path = self.folder / ("authority" if index is None else f"slot-{index}")
        if not path.exists():
            os.mkfifo(path, 0o600)
        opened = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISFIFO(os.fstat(opened).st_mode):
            os.close(opened)
            raise ClockPageError(f"{path} is no named pipe")
        return opened

    def _name(self, index: int, name: str) -> None:
        self._write_text(name, self._byte(index) + _TEXT, self._byte(index) + _HELD)

    @staticmethod
    def _byte(index: int) -> int:
        return _HEADER + index * _SLOT

    def _text(self, start: int, end: int) -> str:
        return self._map[start:end].partition(b"\0")[0].decode("utf-8", "replace")

    def _write_text(self, text: str, start: int, end: int) -> None:
        self._map[start:end] = text.encode()[: end - start - 1].ljust(end - start, b"\0")


def started(pid: int) -> int:
    """When a process began, in the kernel's ticks; tells it from a later one with the same pid. 0 where there is no
    /proc, or no such process."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    return int(status[status.rindex(b")") + 2 :].split()[19])


def _at(index: int) -> int:
    """The first word of a slot."""
    return (_HEADER + index * _SLOT) // 8


def ring(fifo: int) -> None:
    """Wake who reads this pipe. A full pipe wakes it too."""
    with contextlib.suppress(BlockingIOError):
        os.write(fifo, b"x")
