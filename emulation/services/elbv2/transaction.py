"""One request on its way through a load balancer: what the access log and the metrics will tell of it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .routing_table import Listener, LoadBalancer, Rule
from .targets import Target

CLIENT_CLOSED = 460
"""AWS's own status code: the client closed the connection before it had its answer."""


class Exchange:
    """All times are AWS epoch seconds."""

    __slots__ = (
        "answered",
        "arrived",
        "dispatched",
        "group_arn",
        "interrupted",
        "listener",
        "load_balancer",
        "non_sticky",
        "outcome",
        "path",
        "port",
        "query",
        "received",
        "redirect_url",
        "refused",
        "request",
        "rule",
        "sent",
        "set_cookies",
        "stalled",
        "status",
        "target",
        "target_status",
        "task",
        "trace_id",
        "upgraded",
    )

    def __init__(
        self, request: web.BaseRequest, load_balancer: LoadBalancer, listener: Listener, port: int, arrived: float
    ) -> None:
        self.request = request
        self.load_balancer = load_balancer
        self.listener = listener
        self.port = port
        """Where the client really connected to."""
        uri = request.raw_path
        if not uri.startswith("/"):  # absolute form
            uri = request.rel_url.raw_path_qs
        self.path, _, self.query = uri.partition("?")
        self.task = asyncio.current_task()
        self.arrived = arrived
        self.dispatched: float | None = None
        """When the request went to the target."""
        self.answered: float | None = None
        """When the target's response headers came."""
        self.rule: Rule | None = None
        self.outcome = "-"
        """The action taken: forward, redirect or fixed-response."""
        self.group_arn: str | None = None
        self.target: Target | None = None
        self.status = 0
        """What the client got; 0 while it has nothing."""
        self.target_status: int | None = None
        self.redirect_url: str | None = None
        self.trace_id: str | None = None
        self.received = 0
        """Body bytes from the client; for an upgraded connection all bytes after the handshake."""
        self.sent = 0
        """Bytes to the client, headers included."""
        self.set_cookies: list[str] = []
        self.upgraded = False
        self.non_sticky = False
        """Stickiness is on, and this request was bound to no target."""
        self.refused = False
        """No connection to the target came about."""
        self.stalled = False
        """The client sent nothing of its body for longer than the idle timeout."""
        self.interrupted = False
        """The target's drain time ran out before it had answered."""

    def interrupt(self) -> None:
        self.interrupted = True
        if self.task is not None:
            self.task.cancel()
