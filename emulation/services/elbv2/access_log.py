"""The access log, in AWS's own line format.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
Fields up to classification_reason; later ones are always at the end of a line and may be missing.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from .transaction import Exchange


def line(exchange: Exchange, now: float) -> str:
    """The log line of one finished exchange; `now` in AWS epoch seconds."""
    request = exchange.request
    listener = exchange.listener
    target = f"{exchange.target.id}:{exchange.target.port}" if exchange.target else "-"
    target_status = "-" if exchange.target_status is None else str(exchange.target_status)
    kind = listener.protocol.lower()
    if exchange.upgraded:
        kind = "wss" if kind == "https" else "ws"
    host = request.headers.get("Host", "-")
    if ":" not in host:
        host = f"{host}:{exchange.port}"
    version = request.version
    uri = f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path
    user_agent = request.headers.get("User-Agent", "-")[:8192]
    head = sum(len(name) + len(value) + 4 for name, value in request.raw_headers) if not exchange.upgraded else 0
    fields = (
        kind,
        timestamp(now),
        exchange.load_balancer.dimension,
        _client(exchange),
        target,
        *_times(exchange, now),
        str(exchange.status),
        target_status,
        str(exchange.received + head),
        str(exchange.sent),
        _quoted(f"{request.method} {kind}://{host}{uri} HTTP/{version.major}.{version.minor}"),
        _quoted(user_agent),
        "-",
        "-",
        exchange.group_arn or "-",
        _quoted(exchange.trace_id or "-"),
        '"-"',
        '"-"',
        "-" if exchange.rule is None else str(exchange.rule.priority),
        timestamp(exchange.arrived),
        _quoted(exchange.outcome),
        _quoted(exchange.redirect_url or "-"),
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


def _client(exchange: Exchange) -> str:
    peer = exchange.request.protocol.peername
    return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else "-"


def _times(exchange: Exchange, now: float) -> tuple[str, str, str]:
    """request, target and response processing time in AWS seconds; -1 where it did not come so far."""
    if exchange.dispatched is None or exchange.answered is None:
        return "-1", "-1", "-1"
    response = 0.0 if exchange.upgraded else now - exchange.answered
    return (
        f"{exchange.dispatched - exchange.arrived:.3f}",
        f"{exchange.answered - exchange.dispatched:.3f}",
        f"{response:.3f}",
    )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "\\x22") + '"'


class AccessLog:
    """One file; lines are written together once per turn of the event loop."""

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
