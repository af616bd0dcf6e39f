"""Notes each cloud that a kit process starts, in this machine's temporary folder.

A note is a file of JSON lines that its writer appends to and keeps locked (flock); the lock ends with the process. The
note is complete and locked before anything of the run exists.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..core.clock import iso
from ..core.errors import UsageError
from .machine import Identity, identity

TOKEN_VARIABLE = "EMULATION_RUN"  # noqa: S105 - a name, not a secret
"""A run's token in the environment of its cloud, and of all that the cloud starts."""

WORKDIR_PREFIX = "emulated-cloud-"
_SUFFIX, _NEW = ".run", ".new"


@dataclass(frozen=True)
class NotedRun:
    """A run as its note describes it."""

    path: Path
    facts: Mapping[str, Any]
    over: bool
    """Whether its holder is gone."""

    @property
    def token(self) -> str:
        return str(self.facts["token"])

    @property
    def id(self) -> str:
        return str(self.facts.get("run", ""))

    @property
    def holder(self) -> Identity:
        return Identity(self.facts["pid"], self.facts["started"])

    @property
    def folder(self) -> Path:
        """The folder of its evidence and report."""
        return Path(self.facts["folder"])

    @property
    def report_dir(self) -> Path:
        return Path(self.facts["report_dir"])

    @property
    def workdir(self) -> Path | None:
        """The emulated cloud's folder, which may not exist yet or any more."""
        return Path(self.facts["workdir"]) if "workdir" in self.facts else None

    @property
    def child(self) -> Identity | None:
        """The emulated cloud's process; None until it was started."""
        return Identity(*self.facts["cloud"]) if "cloud" in self.facts else None

    def __str__(self) -> str:
        since = iso(self.facts["since"])[:19]
        return f"{self.id} ({self.facts['command']}, process {self.holder.pid}, since {since}Z)"


class Note:
    """A note, as held by the process that wrote it."""

    def __init__(self, file: IO[str], noted: NotedRun) -> None:
        self._file = file
        self._noted = noted

    @property
    def token(self) -> str:
        return self._noted.token

    @property
    def workdir(self) -> Path:
        assert self._noted.workdir is not None
        return self._noted.workdir

    def add(self, **facts: Any) -> None:
        """Append facts; they are on disk when it returns."""
        self._file.write(json.dumps(facts) + "\n")
        self._file.flush()
        self._noted = NotedRun(self._noted.path, {**self._noted.facts, **facts}, over=False)

    def noted(self) -> NotedRun:
        """The run as an audit reads it once the run has ended."""
        return NotedRun(self._noted.path, self._noted.facts, over=True)

    def close(self, *, forget: bool = True) -> None:
        """End the run; with `forget` also remove the note, because nothing of the run is left. May be called twice."""
        if forget and not self._file.closed:
            self._noted.path.unlink(missing_ok=True)
        self._file.close()


class RunNotes:
    """The notes of all runs of this user on this machine."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _folder()

    def open(self, run: str, *, report_dir: Path, folder: Path, since: float, **more: Any) -> Note:
        """Note a run of this process. `since`: wall epoch seconds. Raises `UsageError` when it cannot be noted."""
        holder = identity(os.getpid())
        assert holder is not None
        token = secrets.token_hex(16)
        facts = {
            "token": token,
            "run": run,
            "pid": holder.pid,
            "started": holder.started,
            "command": _command(),
            "report_dir": str(report_dir.resolve()),
            "folder": str(folder.resolve()),
            "workdir": str(Path(tempfile.gettempdir()).resolve() / f"{WORKDIR_PREFIX}{token[:12]}"),
            "since": since,
            **more,
        }
        _own(self.folder)
        path = self.folder / f"{token}{_SUFFIX}"
        unfinished = self.folder / f"{holder.pid}-{token}{_NEW}"
        file = unfinished.open("x", encoding="utf-8")
        _lock(file)
        note = Note(file, NotedRun(path, facts, over=False))
        note.add(**facts)
        unfinished.rename(path)
        return note

    def read(self) -> list[NotedRun]:
        """All notes, the oldest first. Other files are ignored."""
        found = [noted for path in self.folder.glob(f"*{_SUFFIX}") if (noted := _read(path)) is not None]
        return sorted(found, key=lambda noted: noted.facts["since"])

    def unfinished(self) -> list[Path]:
        """Notes whose writer was killed while writing: their runs have started nothing."""
        writers = {path: identity(int(path.name.partition("-")[0])) for path in self.folder.glob(f"*{_NEW}")}
        return [path for path, writer in writers.items() if writer is None and _free(path)]


def _folder() -> Path:
    user = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "")
    return Path(tempfile.gettempdir()).resolve() / f"webordinary-kit-{user}"


def _own(folder: Path) -> None:
    """Make the folder. Its contents decide what is killed and removed, so only this user may write to it."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise UsageError(f"cannot note the run in {folder}: {error}", next="set TMPDIR to a folder of yours") from None
    if sys.platform == "win32":
        return
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise UsageError(
            f"runs are noted in {folder}, which must be a folder that only this user can write",
            next="remove it, or set TMPDIR to a folder of yours",
        )


def _read(path: Path) -> NotedRun | None:
    facts: dict[str, Any] = {}
    try:
        _own(path.parent)
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # the writer was killed while it wrote its last line
                facts |= json.loads(line)
        over = _free(path) and not Identity(facts["pid"], facts["started"]).alive()
        noted = NotedRun(path, facts, over)
        _ = noted.token, noted.folder, noted.report_dir, noted.facts["since"], noted.facts["command"]
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return noted


def _lock(file: IO[str]) -> None:
    if sys.platform != "win32":
        import fcntl  # noqa: PLC0415 - POSIX

        fcntl.flock(file, fcntl.LOCK_EX)  # an audit that reads it releases it at once


def _free(path: Path) -> bool:
    """Whether the lock is free; always true where there are no such locks."""
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415 - POSIX

    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _command() -> str:
    """The command that started this process, in two words."""
    program = Path(sys.argv[0])
    words = [
        program.parent.name if program.name == "__main__.py" else program.name,
        *(word for word in sys.argv[1:2] if not word.startswith("-")),
    ]
    return " ".join(words)[:60] or "python"
