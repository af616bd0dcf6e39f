"""Finds the rule for a request and performs its action."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDictProxy

from ...core import browser
from ...time.clock import Clock
from .actions import FixedResponse, Forward, RequestedUrl
from .balancing import Balancer
from .conditions import RequestAttributes
from .headers import too_large, too_many_forwarders
from .proxy import Proxy
from .responses import send, send_page
from .routing_table import RoutingTable, Rule, TargetGroup
from .stickiness import StickySessions
from .targets import Target, Targets
from .transaction import CLIENT_CLOSED, Transaction


@dataclass(frozen=True, kw_only=True)
class Router:
    clock: Clock
    table: Callable[[], RoutingTable]
    targets: Targets
    balancer: Balancer
    sticky_sessions: StickySessions
    proxy: Proxy
    finished: Callable[[Transaction], None]
    """Called at the end of every transaction, failed ones included."""
    log: logging.Logger
    names: Callable[[], Collection[str]] = tuple
    """Host names of this cloud, beside those of rules."""

    async def answer(
        self, request: web.BaseRequest, listener_arn: str, port: int, ports: Mapping[int, int]
    ) -> web.StreamResponse:
        """`port` is the port the client connected to; `ports` maps the load balancer's listener ports to ports of this
        machine."""
        table = self.table()
        listener = table.listeners.get(listener_arn)
        if listener is None:
            raise ConnectionError("The listener was deleted.")
        balancer = table.load_balancers[listener.load_balancer_arn]
        transaction = Transaction(request, balancer, listener, port, self.clock.now())
        try:
            return await self._act(transaction, table, ports)
        except (asyncio.CancelledError, ConnectionError):
            transaction.status = transaction.status or CLIENT_CLOSED
            raise
        except Exception:
            self.log.exception("load balancer %s could not answer %s", balancer.name, request.raw_path)
            if transaction.status:
                raise ConnectionError("The response was begun and cannot be finished.") from None
            return await send_page(transaction, 500, self.clock.now())
        finally:
            self.finished(transaction)

    async def _act(self, transaction: Transaction, table: RoutingTable, ports: Mapping[int, int]) -> web.StreamResponse:
        request = transaction.request
        if request.method == "TRACE":
            return await send_page(transaction, 405, self.clock.now())
        if not transaction.path.startswith("/"):
            return await send_page(transaction, 400, self.clock.now())
        if too_large(request.raw_headers):
            return await send_page(transaction, 400, self.clock.now())
        if request.headers.get("Transfer-Encoding", "chunked").strip().lower() not in ("chunked", "identity"):
            return await send_page(transaction, 501, self.clock.now())
        if too_many_forwarders(request.headers):
            return await send_page(transaction, 463, self.clock.now())
        host, _, host_port = _host_and_port(request.headers.get("Host", ""))
        source = request.transport.get_extra_info("peername")[0] if request.transport else ""
        attributes = RequestAttributes(
            request.method, transaction.path, transaction.query, host, request.headers, source
        )
        rule = transaction.rule = transaction.listener.rule(attributes)
        now = self.clock.now()
        names = {*self.names(), host.lower()} if rule.names_hosts else self.names()
        if reason := browser.refusal(request.headers, names, navigation=request.method in ("GET", "HEAD")):
            return await send(transaction, 403, "text/plain", reason.encode(), now)
        action = rule.action
        if isinstance(action, Forward):
            transaction.outcome = "forward"
            return await self._forward(transaction, table, rule, action)
        if isinstance(action, FixedResponse):
            transaction.outcome = "fixed-response"
            return await send(transaction, action.status, action.content_type, action.body, now)
        transaction.outcome = "redirect"
        requested_port = int(host_port) if host_port.isdigit() else transaction.port
        protocol = transaction.listener.protocol.lower()
        url = RequestedUrl(protocol, host, requested_port, transaction.path, transaction.query)
        transaction.redirect_url = action.location(url, ports)
        return await send_page(transaction, action.status, now, transaction.redirect_url)

    async def _forward(
        self, transaction: Transaction, table: RoutingTable, rule: Rule, action: Forward
    ) -> web.StreamResponse:
        headers = transaction.request.headers
        arn = None
        if action.sticky_seconds is not None:
            arn = self.sticky_sessions.group(headers, rule.arn)
        if arn is None or all(arn != group.target_group_arn for group in action.groups):
            arn = self.balancer.group(action)
        group = table.target_groups.get(arn) if arn is not None else None
        if group is None:
            return await send_page(transaction, 503, self.clock.now())
        transaction.group_arn = group.arn
        target = self._target(transaction, group)
        if target is None:
            return await send_page(transaction, 503, self.clock.now())

        def cookies(answer: CIMultiDictProxy[str]) -> Iterator[str]:
            if action.sticky_seconds is not None:
                yield from self.sticky_sessions.group_cookies(rule.arn, group.arn, action.sticky_seconds)
            if group.stickiness is not None:
                yield from self.sticky_sessions.target_cookies(target, group.stickiness, headers, answer)

        return await self.proxy.forward(transaction, group, target, cookies)

    def _target(self, transaction: Transaction, group: TargetGroup) -> Target | None:
        pool = self.targets.pool(group.arn)
        if group.stickiness is not None:
            bound = self.sticky_sessions.target(transaction.request.headers, group.arn, group.stickiness, pool)
            if bound is not None:
                return bound
            transaction.non_sticky = True
        return self.balancer.target(pool, group.algorithm)


def _host_and_port(header: str) -> tuple[str, str, str]:
    """Like `str.rpartition(":")`; an IPv6 literal keeps its brackets."""
    if header.endswith("]") or ":" not in header:
        return header, "", ""
    return header.rpartition(":")
