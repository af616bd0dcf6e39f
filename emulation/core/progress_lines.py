"""What takes its time before a cloud can be used, told on stdout before the readiness line."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PROGRESS = "webordinary_testkit.emulation.core.progress_lines"
"""The logger of what takes its time; what it says goes into the cloud's log as well."""


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(json.dumps({"progress": record.getMessage()}) + "\n")
        sys.stdout.flush()


@contextmanager
def told() -> Iterator[None]:
    """While the block runs, each step is one line `{"progress": "pulling …"}` on stdout."""
    log, lines = logging.getLogger(PROGRESS), _Lines()
    log.setLevel(logging.INFO)
    log.addHandler(lines)
    try:
        yield
    finally:
        log.removeHandler(lines)
