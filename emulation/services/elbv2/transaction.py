"""One HTTP request and its response, as the access log and the metrics report it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import web

from .routing_table import Listener, LoadBalancer, Rule
from .targets import Target

CLIENT_CLOSED = 460
"""AWS's status code for a connection that the client closed before it was answered."""


@dataclass(slots=True, eq=False)
class Transaction:
    """All times are AWS epoch seconds."""

    request: web.BaseRequest
    load_balancer: LoadBalancer
    listener: Listener
    port: int
    """The port of this machine that the client connected to."""
    arrived: float
    path: str = ""
    query: str = ""
    task: asyncio.Task[object] | None = field(default_factory=asyncio.current_task)
    dispatched: float | None = None
    """When the request went to the target."""
    answered: float | None = None
    """When the target's response headers arrived."""
    rule: Rule | None = None
    outcome: str = "-"
    """The action taken: forward, redirect or fixed-response."""
    group_arn: str | None = None
    target: Target | None = None
    status: int = 0
    """The status sent to the client; 0 before that."""
    target_status: int | None = None
    redirect_url: str | None = None
    trace_id: str | None = None
    received: int = 0
    """Body bytes from the client; for an upgraded connection all bytes after the handshake."""
    sent: int = 0
    """Bytes to the client, headers included."""
    set_cookies: list[str] = field(default_factory=list)
    upgraded: bool = False
    non_sticky: bool = False
    """Stickiness is on, and the request carried no valid stickiness cookie."""
    refused: bool = False
    """The connection to the target failed."""
    stalled: bool = False
    """The client sent no body data for longer than the idle timeout."""
    interrupted: bool = False
    """The target's deregistration delay ended before it had answered."""

    def __post_init__(self) -> None:
        uri = self.request.raw_path
        if not uri.startswith("/"):  # absolute form
            uri = self.request.rel_url.raw_path_qs
        self.path, _, self.query = uri.partition("?")

    def interrupt(self) -> None:
        self.interrupted = True
        if self.task is not None:
            self.task.cancel()
