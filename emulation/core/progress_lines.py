"""Prints progress on stdout while a cloud starts, before the readiness line."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PROGRESS = "webordinary_testkit.emulation.core.progress_lines"
"""The logger of slow steps; its messages are in the cloud's log too."""


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(json.dumps({"progress": record.getMessage()}) + "\n")
        sys.stdout.flush()


@contextmanager
def progress_on_stdout() -> Iterator[None]:
    """Print each slow step of the block as a line `{"progress": "pulling …"}`."""
    log, lines = logging.getLogger(PROGRESS), _Lines()
    log.setLevel(logging.INFO)
    log.addHandler(lines)
    try:
        yield
    finally:
        log.removeHandler(lines)
