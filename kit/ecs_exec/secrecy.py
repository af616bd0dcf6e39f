"""What opens a session stays out of the logs: its token and its stream URL, also at level DEBUG."""

from __future__ import annotations

import logging
import re

_SECRET = re.compile(r"""((?:tokenValue|streamUrl)\\?["']\s*:\s*\\?["'])[^"'\\]*""", re.IGNORECASE)
_LOGS_ANSWERS = "botocore.parsers"
"""Where botocore, at level DEBUG, logs the bodies of answers."""

SILENT = logging.getLogger("kit.ecs_exec.socket")
"""For the WebSocket, whose frames and headers would be logged at level DEBUG: the token and the signature."""
SILENT.setLevel(logging.WARNING)


class WithoutSecrets(logging.Filter):
    """Takes session tokens and stream URLs out of log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (hidden := _SECRET.sub(r"\1(hidden)", text)) != text:
            record.msg, record.args = hidden, ()
        return True


_FILTER = WithoutSecrets()


def keep_out_of_logs() -> None:
    """From now on botocore's own log says no more of a session than its id. May be called again."""
    logging.getLogger(_LOGS_ANSWERS).addFilter(_FILTER)
