"""From a request at a listener to its answer: find the rule, do what it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping

from aiohttp import web
from multidict import CIMultiDictProxy

from ...time.clock import Clock
from .actions import FixedResponse, Forward, Redirect, RequestedUrl
from .balancing import Balancer
from .conditions import Inquiry
from .transaction import CLIENT_CLOSED, Exchange
from .headers import too_many_forwarders
from .proxy import Proxy
from .responses import send, send_page
from .stickiness import Stickies
from .routing_table import Rule, Table, TargetGroup
from .targets import Target, Targets

Observer = Callable[[Exchange], None]


class Router:
    def __init__(
        self,
        *,
        clock: Clock,
        table: Callable[[], Table],
        targets: Targets,
        balancer: Balancer,
        stickies: Stickies,
        proxy: Proxy,
        finished: Observer,
        log: logging.Logger,
    ) -> None:
        """`finished` is told of every exchange when it is over, however it ended."""
        self._clock = clock
        self._table = table
        self._targets = targets
        self._balancer = balancer
        self._stickies = stickies
        self._proxy = proxy
        self._finished = finished
        self._log = log

    async def answer(
        self, request: web.BaseRequest, listener_arn: str, port: int, ports: Mapping[int, int]
    ) -> web.StreamResponse:
        """`port` is where the client connected to, `ports` where the listeners of this load balancer
        really listen, by their declared ports."""
        table = self._table()
        listener = table.listeners.get(listener_arn)
        if listener is None:
            raise ConnectionError("The listener was deleted.")
        balancer = table.load_balancers[listener.load_balancer_arn]
        exchange = Exchange(request, balancer, listener, port, self._clock.now())
        try:
            return await self._act(exchange, table, ports)
        except (asyncio.CancelledError, ConnectionError):
            exchange.status = exchange.status or CLIENT_CLOSED
            raise
        except Exception:
            self._log.exception("load balancer %s could not answer %s", balancer.name, request.raw_path)
            if exchange.status:
                raise ConnectionError("The answer was begun and cannot be finished.") from None
            return await send_page(exchange, 500, self._clock.now())
        finally:
            self._finished(exchange)

    async def _act(self, exchange: Exchange, table: Table, ports: Mapping[int, int]) -> web.StreamResponse:
        request = exchange.request
        if request.method == "TRACE":
            return await send_page(exchange, 405, self._clock.now())
        if not exchange.path.startswith("/"):
            return await send_page(exchange, 400, self._clock.now())
        if too_many_forwarders(request.headers):
            return await send_page(exchange, 463, self._clock.now())
        host, _, host_port = _host_and_port(request.headers.get("Host", ""))
        source = request.transport.get_extra_info("peername")[0] if request.transport else ""
        inquiry = Inquiry(request.method, exchange.path, exchange.query, host, request.headers, source)
        rule = exchange.rule = exchange.listener.rule(inquiry)
        action = rule.action
        if isinstance(action, Forward):
            exchange.outcome = "forward"
            return await self._forward(exchange, table, rule, action)
        now = self._clock.now()
        if isinstance(action, FixedResponse):
            exchange.outcome = "fixed-response"
            return await send(exchange, action.status, action.content_type, action.body, now)
        exchange.outcome = "redirect"
        exchange.redirect_url = self._location(exchange, action, host, host_port, ports)
        return await send_page(exchange, action.status, now, exchange.redirect_url)

    def _location(
        self, exchange: Exchange, action: Redirect, host: str, host_port: str, ports: Mapping[int, int]
    ) -> str:
        url = RequestedUrl(
            exchange.listener.protocol.lower(),
            host,
            int(host_port) if host_port.isdigit() else exchange.port,
            exchange.path,
            exchange.query,
        )
        return action.location(url, ports)

    async def _forward(self, exchange: Exchange, table: Table, rule: Rule, action: Forward) -> web.StreamResponse:
        headers = exchange.request.headers
        arn = None
        if action.sticky_seconds is not None:
            arn = self._stickies.group(headers, rule.arn)
        if arn is None or all(arn != group.target_group_arn for group in action.groups):
            arn = self._balancer.group(action)
        group = table.target_groups.get(arn) if arn is not None else None
        if group is None:
            return await send_page(exchange, 503, self._clock.now())
        exchange.group_arn = group.arn
        target = self._target(exchange, group)
        if target is None:
            return await send_page(exchange, 503, self._clock.now())

        def cookies(answer: CIMultiDictProxy[str]) -> Iterator[str]:
            if action.sticky_seconds is not None:
                yield from self._stickies.group_cookies(rule.arn, group.arn, action.sticky_seconds)
            if group.stickiness is not None:
                yield from self._stickies.target_cookies(target, group.stickiness, headers, answer)

        return await self._proxy.forward(exchange, group, target, cookies)

    def _target(self, exchange: Exchange, group: TargetGroup) -> Target | None:
        pool = self._targets.pool(group.arn)
        if group.stickiness is not None:
            bound = self._stickies.target(exchange.request.headers, group.arn, group.stickiness, pool)
            if bound is not None:
                return bound
            exchange.non_sticky = True
        return self._balancer.target(pool, group.algorithm)


def _host_and_port(header: str) -> tuple[str, str, str]:
    """`example.com:8080` → its parts; an IPv6 literal keeps its brackets."""
    if header.endswith("]") or ":" not in header:
        return header, "", ""
    return header.rpartition(":")
