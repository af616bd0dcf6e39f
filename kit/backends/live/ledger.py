"""Records a run's resources before they are created, so that the leftovers of a killed run can be deleted.

    intend ----> created ----> removed
      \\------------------------> removed     (it was never created)

One file per run, `<report_dir>/ledger/<run>.jsonl`; each line is flushed to disk before the run continues.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...audit.machine import identity
from ...core.clock import Clock
from ...core.errors import InfraError, UsageError

FOLDER = "ledger"
INTENDED, CREATED, REMOVED = "intended", "created", "removed"
STACK = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Entry:
    """One resource."""

    index: int
    kind: str
    """CloudFormation's type, such as `AWS::SES::ReceiptRule`; otherwise the kit's term, such as `fault`."""
    name: str
    """A name known before the creation, or a logical id in the stack."""
    state: str
    at: float
    """AWS epoch seconds of the last change."""
    id: str = ""
    """The physical id, once it is created."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further data for finding and removing it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.id or self.name}"


@dataclass(frozen=True)
class Header:
    """The run that the ledger belongs to."""

    run: str
    account: str
    region: str
    stack: str
    expires: float
    """AWS epoch seconds."""
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)
    started: str = field(default_factory=lambda: _started(os.getpid()))
    """Start time of the process, from the operating system: process ids are reused."""

    @property
    def runs_here(self) -> bool | None:
        """Whether the run's process is alive; None when it ran on another machine."""
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return not self.started or _started(self.pid) == self.started


class RunLedger:
    """A run's ledger. Thread-safe."""

    def __init__(self, path: Path, header: Header, clock: Clock) -> None:
        """Creates a ledger or continues an existing one. Nothing is written before the first entry."""
        self.path = path
        self.header = header
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[Entry] = _entries(path) if path.exists() else []
        self._whole = not path.exists() or path.read_bytes().endswith(b"\n")

    @classmethod
    def of_run(cls, report_dir: Path, header: Header, clock: Clock) -> RunLedger:
        return cls(report_dir / FOLDER / f"{header.run}.jsonl", header, clock)

    def intend(self, kind: str, name: str, **facts: Any) -> Entry:
        """Records a resource before it is created."""
        return self.intend_all([(kind, name, facts)])[0]

    def intend_all(self, wanted: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[Entry]:
        """Records several resources: kind, name, facts."""
        with self._lock:
            first, now = len(self._entries), self._clock.now()
            new = [
                Entry(first + place, kind, name, INTENDED, now, facts=dict(facts))
                for place, (kind, name, facts) in enumerate(wanted)
            ]
            self._entries += new
            self._write(new)
            return new

    def created(self, entry: Entry, id: str = "", **facts: Any) -> Entry:
        """Records that it exists; `id` is its physical id."""
        return self._change(entry, CREATED, id or entry.id, facts)

    def removed(self, entry: Entry) -> Entry:
        """Records that it is certainly gone, or was never created."""
        return self._change(entry, REMOVED, entry.id, {})

    def open(self) -> list[Entry]:
        """Entries that may still exist, newest first: the order of removal."""
        with self._lock:
            return [entry for entry in reversed(self._entries) if entry.state != REMOVED]

    def ids(self) -> set[str]:
        """The physical ids of all entries, including removed ones."""
        with self._lock:
            return {entry.id for entry in self._entries if entry.id}

    def find(self, kind: str, name: str) -> Entry | None:
        """The newest open entry of this kind and name."""
        return next((entry for entry in self.open() if (entry.kind, entry.name) == (kind, name)), None)

    def holds(self, value: str) -> bool:
        """Whether an open entry has this name or id."""
        with self._lock:
            return any(entry.state != REMOVED and value in (entry.name, entry.id) for entry in self._entries)

    def _change(self, entry: Entry, state: str, id: str, facts: Mapping[str, Any]) -> Entry:
        with self._lock:
            now = self._entries[entry.index]
            changed = replace(now, state=state, id=id, at=self._clock.now(), facts={**now.facts, **facts})
            self._entries[entry.index] = changed
            self._write([changed])
            return changed

    def _write(self, entries: Iterable[Entry]) -> None:
        """Raises `InfraError` when the ledger cannot be written: unrecorded resources must not be created."""
        try:
            self._append(entries)
        except OSError as error:
            raise InfraError(
                f"the ledger cannot be written: {error.strerror or error}",
                where=str(self.path),
                next="nothing is created without an entry: free disk space, or set report_dir to a writable folder",
            ) from error

    def _append(self, entries: Iterable[Entry]) -> None:
        new = not self.path.exists()
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if not new and not self._whole:
                file.write("\n")  # the last line was truncated by a kill
            self._whole = True
            if new:
                file.write(json.dumps({"ledger": 1, **vars(self.header)}) + "\n")
            file.writelines(json.dumps(vars(entry), default=str) + "\n" for entry in entries)
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self.path.parent)


def read(path: Path, clock: Clock) -> RunLedger:
    """Opens an existing ledger. Raises `UsageError` for any other file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        head = json.loads(lines[0])
        if head.pop("ledger") != 1:
            raise ValueError("another version")
        return RunLedger(path, Header(**head), clock)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"this is no ledger: {error!r}", where=str(path), next="look at it, and move it away"
        ) from None


def ledgers(report_dir: Path, clock: Clock) -> list[RunLedger]:
    """All ledgers in a report folder, newest run first. Skips files whose first line was truncated by a kill: nothing
    was created then."""
    found = []
    for path in sorted((report_dir / FOLDER).glob("*.jsonl"), reverse=True):
        try:
            found.append(read(path, clock))
        except UsageError:
            continue
    return found


def _entries(path: Path) -> list[Entry]:
    """The newest state of each entry; skips a last line that was truncated by a kill."""
    entries: list[Entry] = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        try:
            entry = Entry(**json.loads(line))
        except (ValueError, TypeError):
            continue
        if entry.index == len(entries):
            entries.append(entry)
        else:
            entries[entry.index] = entry
    return entries


def _started(pid: int) -> str:
    found = identity(pid)
    return found.started if found is not None else ""


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
