"""Logs: one JSON object a line on stdout, stamped in AWS time; on ECS they land in CloudWatch Logs."""

from __future__ import annotations

import json
import logging
import sys

from .clock import Clock, iso

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Level, message and every `extra` field of a record; a traceback as one string."""

    def __init__(self, service: str, clock: Clock) -> None:
        super().__init__()
        self._service = service
        self._clock = clock

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": iso(self._clock.now()),
            "level": record.levelname.lower(),
            "service": self._service,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(service: str, clock: Clock) -> None:
    """Send everything from INFO on to stdout. A reader that is gone must not break the program."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(service, clock))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    logging.raiseExceptions = False
