"""Reads the files of a run's folder; what is missing or cut off becomes a notice instead of an error."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import UsageError
from ..runner.report import FILE, read

HISTORY, CALLS = "history.jsonl", "calls.jsonl"
LOG_LINES = 200
"""The newest lines of each log that a page shows."""
LOG_LINE = 500
"""Characters of a log line that a page shows."""

Line = dict[str, Any]


@dataclass
class RunFiles:
    """What a run has left."""

    folder: Path
    report: Mapping[str, Any]
    """`report.json`; empty when there is none."""
    history: list[Line]
    """The events as `kit.core.history` writes them, oldest first."""
    calls: list[Line]
    """The AWS calls that the emulated cloud recorded."""
    logs: dict[str, list[str]]
    """File name → its newest lines."""
    notices: list[str] = field(default_factory=list)
    """What is missing or cannot be read."""

    @property
    def id(self) -> str:
        return str(self.report.get("run", {}).get("id", self.folder.name))


def read_run(folder: Path) -> RunFiles:
    """The files of the run in `folder`. Raises `UsageError` when it has neither a report nor a history."""
    if not (folder / FILE).is_file() and not (folder / HISTORY).is_file():
        raise UsageError(
            f"expected a run with {FILE} or {HISTORY} in {folder}, found neither", next="kit run, or name another run"
        )
    notices: list[str] = []
    report: Mapping[str, Any] = {}
    try:
        report = read(folder)
    except UsageError as error:
        notices.append(str(error))
    history = _lines(folder / HISTORY, notices, _is_event)
    calls = _lines(folder / CALLS, notices, _is_call) if (folder / CALLS).exists() else []
    logs = {path.name: lines for path in sorted(folder.glob("*.log")) if (lines := _tail(path))}
    return RunFiles(folder, report, history, calls, logs, notices)


def _is_event(line: Line) -> bool:
    texts = all(isinstance(line.get(key), str) for key in ("name", "type"))
    return texts and isinstance(line.get("aws"), int | float) and isinstance(line.get("touches", {}), dict)


def _is_call(line: Line) -> bool:
    return isinstance(line.get("at"), int | float) and isinstance(line.get("operation"), str)


def _lines(path: Path, notices: list[str], sound: Callable[[Line], bool]) -> list[Line]:
    """The sound JSON objects of a file, one a line. The other lines are counted in a notice."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        notices.append(f"{path.name} cannot be read: {error.strerror}")
        return []
    lines, unreadable = [], 0
    for line in text.split("\n"):
        if line.strip():
            try:
                value = json.loads(line)
            except ValueError:
                value = None
            if isinstance(value, dict) and sound(value):
                lines.append(value)
            else:
                unreadable += 1
    if unreadable:
        notices.append(f"{path.name}: {unreadable} line(s) are not JSON of this file and are left out")
    return lines


def _tail(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line[:LOG_LINE] for line in text.splitlines()[-LOG_LINES:]]
