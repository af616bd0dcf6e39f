"""Records every call: in a bounded ring in memory, and in a JSONL file when one is given."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO

KEPT = 50_000
"""Calls kept in memory (about 20 MB); the file has the older ones too."""


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
    """The HTTP status; 0 when the connection ended before an answer."""
    error: str | None
    """AWS's error code."""
    seconds: float
    """Wall seconds until the answer was ready."""
    request_id: str
    touches: Mapping[str, str | list[str]] = field(default_factory=dict)
    """The resource names in its parameters: see `resource_names`."""


class Recorder:
    def __init__(self, path: Path | None = None, kept: int = KEPT) -> None:
        """Raises OSError when the file cannot be written."""
        self._ring: deque[RecordedCall] = deque(maxlen=kept)
        self._next = 1
        self._file: IO[str] | None = path.open("a", buffering=1) if path is not None else None

    def add(self, call: RecordedCall) -> None:
        """Keep a call, and give it the next number."""
        call = replace(call, number=self._next)
        self._next += 1
        self._ring.append(call)
        if self._file is not None:
            self._file.write(json.dumps(asdict(call)) + "\n")

    def since(self, number: int = 0) -> list[RecordedCall]:
        """The kept calls with a higher number."""
        if not self._ring:
            return []
        skip = max(0, number + 1 - self._ring[0].number)
        return [call for index, call in enumerate(self._ring) if index >= skip]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
