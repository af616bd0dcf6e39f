"""Writes the access log in AWS's line format.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
Fields up to classification_reason; AWS appends newer fields at the end of a line.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from .transaction import Transaction


def line(transaction: Transaction, now: float) -> str:
    """The log line of one finished transaction; `now` in AWS epoch seconds."""
    request = transaction.request
    listener = transaction.listener
    target = f"{transaction.target.id}:{transaction.target.port}" if transaction.target else "-"
    target_status = "-" if transaction.target_status is None else str(transaction.target_status)
    kind = listener.protocol.lower()
    if transaction.upgraded:
        kind = "wss" if kind == "https" else "ws"
    host = request.headers.get("Host", "-")
    if ":" not in host:
        host = f"{host}:{transaction.port}"
    version = request.version
    uri = f"{transaction.path}?{transaction.query}" if transaction.query else transaction.path
    user_agent = request.headers.get("User-Agent", "-")[:8192]
    head = sum(len(name) + len(value) + 4 for name, value in request.raw_headers) if not transaction.upgraded else 0
    fields = (
        kind,
        timestamp(now),
        transaction.load_balancer.dimension,
        _client(transaction),
        target,
        *_times(transaction, now),
        str(transaction.status),
        target_status,
        str(transaction.received + head),
        str(transaction.sent),
        _quoted(f"{request.method} {kind}://{host}{uri} HTTP/{version.major}.{version.minor}"),
        _quoted(user_agent),
        "-",
        "-",
        transaction.group_arn or "-",
        _quoted(transaction.trace_id or "-"),
        '"-"',
        '"-"',
        "-" if transaction.rule is None else str(transaction.rule.priority),
        timestamp(transaction.arrived),
        _quoted(transaction.outcome),
        _quoted(transaction.redirect_url or "-"),
        '"-"',
        _quoted(target),
        _quoted(target_status),
        '"-"',
        '"-"',
    )
    return " ".join(fields)


def timestamp(epoch: float) -> str:
    second = int(epoch)
    return f"{_second(second)}.{int((epoch - second) * 1_000_000):06d}Z"


@lru_cache(maxsize=64)
def _second(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _client(transaction: Transaction) -> str:
    peer = transaction.request.protocol.peername
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "-"


def _times(transaction: Transaction, now: float) -> tuple[str, str, str]:
    """Request, target and response processing times in AWS seconds; -1 for a stage that was not reached."""
    if transaction.dispatched is None or transaction.answered is None:
        return "-1", "-1", "-1"
    response = 0.0 if transaction.upgraded else now - transaction.answered
    return (
        f"{transaction.dispatched - transaction.arrived:.3f}",
        f"{transaction.answered - transaction.dispatched:.3f}",
        f"{response:.3f}",
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "\\x22") + '"'


class AccessLog:
    """One log file; buffers lines and writes them once per iteration of the event loop."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self._waiting: list[str] = []

    def write(self, text: str) -> None:
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(text)

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        if self._waiting and not self._file.closed:
            self._file.write("\n".join(self._waiting) + "\n")
            self._file.flush()
            self._waiting.clear()
