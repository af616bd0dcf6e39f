"""Keeps session tokens and stream URLs out of the logs, also at level DEBUG."""

from __future__ import annotations

import logging
import re

_SECRET = re.compile(r"""((?:tokenValue|streamUrl)\\?["']\s*:\s*\\?["'])[^"'\\]*""", re.IGNORECASE)
_LOGS_ANSWERS = "botocore.parsers"
"""The logger to which botocore writes response bodies at level DEBUG."""

SILENT = logging.getLogger("kit.ecs_exec.socket")
"""The WebSocket's logger: at level DEBUG it would log frames and headers with the token and the signature."""
SILENT.setLevel(logging.WARNING)


class WithoutSecrets(logging.Filter):
    """Hides session tokens and stream URLs in log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if (hidden := _SECRET.sub(r"\1(hidden)", text)) != text:
            record.msg, record.args = hidden, ()
        return True


_FILTER = WithoutSecrets()


def keep_out_of_logs() -> None:
    """Hide sessions' secrets in botocore's log from now on. Idempotent."""
    logging.getLogger(_LOGS_ANSWERS).addFilter(_FILTER)
