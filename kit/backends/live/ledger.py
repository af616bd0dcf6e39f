"""What a run created, or was about to create: written down before it is, so that a killed run can be cleaned up.

    intend ----> created ----> removed
      \\------------------------> removed     (it never came to be)

One file a run, `<report_dir>/ledger/<run>.jsonl`; each line is on the disk before anything else happens.
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
    """CloudFormation's type where there is one, such as `AWS::SES::ReceiptRule`; else a word of the kit's own."""
    name: str
    """Known beforehand: a name, or a logical id in the stack."""
    state: str
    at: float
    """AWS epoch seconds of the last change."""
    id: str = ""
    """What AWS calls it, once it is created."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What else it takes to find and to remove it."""

    def __str__(self) -> str:
        return f"{self.kind} {self.id or self.name}"


@dataclass(frozen=True)
class Header:
    """Whose ledger it is."""

    run: str
    account: str
    region: str
    stack: str
    expires: float
    """AWS epoch seconds."""
    pid: int = field(default_factory=os.getpid)
    host: str = field(default_factory=socket.gethostname)
    started: str = field(default_factory=lambda: _started(os.getpid()))
    """When the process began, as the system tells it: process ids are used again."""

    @property
    def runs_here(self) -> bool | None:
        """Whether the run's process lives; None when it ran on another machine."""
        if self.host != socket.gethostname():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return not self.started or _started(self.pid) == self.started


class Ledger:
    """A run's ledger. Safe under threads."""

    def __init__(self, path: Path, header: Header, clock: Clock) -> None:
        """Begins one, or goes on with the one that is there. Nothing is written before the first entry."""
        self.path = path
        self.header = header
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: list[Entry] = _entries(path) if path.exists() else []
        self._whole = not path.exists() or path.read_bytes().endswith(b"\n")

    @classmethod
    def of_run(cls, report_dir: Path, header: Header, clock: Clock) -> Ledger:
        return cls(report_dir / FOLDER / f"{header.run}.jsonl", header, clock)

    def intend(self, kind: str, name: str, **facts: Any) -> Entry:
        """Write down that this is about to be created; only then create it."""
        return self.intend_all([(kind, name, facts)])[0]

    def intend_all(self, wanted: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[Entry]:
        """Several at once: kind, name, facts."""
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
        """It is there; `id` is what AWS calls it."""
        return self._change(entry, CREATED, id or entry.id, facts)

    def removed(self, entry: Entry) -> Entry:
        """It is gone for certain, or was never there."""
        return self._change(entry, REMOVED, entry.id, {})

    def open(self) -> list[Entry]:
        """What may be there still, the newest first: the order in which to remove it."""
        with self._lock:
            return [entry for entry in reversed(self._entries) if entry.state != REMOVED]

    def ids(self) -> set[str]:
        """What AWS calls or called whatever was created, also what is removed by now."""
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
        """Raises `InfraError` when it cannot be written: what stands nowhere must not be created."""
        try:
            self._append(entries)
        except OSError as error:
            raise InfraError(
                f"the ledger cannot be written: {error.strerror or error}",
                where=str(self.path),
                next="nothing is created that does not stand in it: make room, or set report_dir to a folder of yours",
            ) from error

    def _append(self, entries: Iterable[Entry]) -> None:
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            if not new and not self._whole:
                file.write("\n")  # a kill cut the last line off
            self._whole = True
            if new:
                file.write(json.dumps({"ledger": 1, **vars(self.header)}) + "\n")
            file.writelines(json.dumps(vars(entry), default=str) + "\n" for entry in entries)
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self.path.parent)


def read(path: Path, clock: Clock) -> Ledger:
    """A ledger that is there, to go on with. Raises `UsageError` when it is none."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        head = json.loads(lines[0])
        if head.pop("ledger") != 1:
            raise ValueError("another version")
        return Ledger(path, Header(**head), clock)
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"this is no ledger: {error!r}", where=str(path), next="look at it, and move it away"
        ) from None


def ledgers(report_dir: Path, clock: Clock) -> list[Ledger]:
    """All ledgers below a report folder, the newest run first. A file whose first line was cut off by a kill
    names nothing, and nothing was created then: it is left out."""
    found = []
    for path in sorted((report_dir / FOLDER).glob("*.jsonl"), reverse=True):
        try:
            found.append(read(path, clock))
        except UsageError:
            continue
    return found


def _entries(path: Path) -> list[Entry]:
    """The newest state of each entry; a last line cut off by a kill is left out."""
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
