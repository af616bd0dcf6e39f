"""The record of every call: a bounded ring in memory, and a JSONL file when one is named."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from ..core.controller import Caller

KEPT = 50_000
"""Calls kept in memory (about 20 MB); older ones are only in the file."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    number: int
    """Counts up from 1, without gaps."""
    at: float
    """AWS time when the call arrived, epoch seconds."""
    caller_kind: str
    caller: str
    service: str
    operation: str
    region: str
    status: int
    """The HTTP status; 0 when the connection was given up before an answer."""
    error: str | None
    """AWS's error code."""
    seconds: float
    """Wall seconds until the answer was ready."""
    request_id: str
    touches: Mapping[str, str | list[str]] = field(default_factory=dict)
    """What its parameters name, by their names: see `touched`."""


class Recorder:
    def __init__(self, path: Path | None = None, kept: int = KEPT) -> None:
        """Raises OSError when the file cannot be written."""
        self._ring: deque[RecordedCall] = deque(maxlen=kept)
        self._next = 1
        self._file: IO[str] | None = path.open("a", buffering=1) if path is not None else None

    def add(
        self,
        *,
        at: float,
        caller: Caller,
        service: str,
        operation: str,
        region: str,
        status: int,
        error: str | None,
        seconds: float,
        request_id: str,
        touches: Mapping[str, str | list[str]] | None = None,
    ) -> None:
        call = RecordedCall(
            self._next,
            at,
            caller.kind,
            caller.name,
            service,
            operation,
            region,
            status,
            error,
            seconds,
            request_id,
            touches or {},
        )
        self._next += 1
        self._ring.append(call)
        if self._file is not None:
            self._file.write(json.dumps(asdict(call)) + "\n")

    def since(self, number: int = 0) -> list[RecordedCall]:
        """The calls kept whose number is above the given one."""
        if not self._ring:
            return []
        skip = max(0, number + 1 - self._ring[0].number)
        return [call for index, call in enumerate(self._ring) if index >= skip]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
