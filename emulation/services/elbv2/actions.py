"""Actions of a listener rule: forward, redirect, fixed response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class WeightedGroup:
    target_group_arn: str
    weight: int


@dataclass(frozen=True, slots=True)
class Forward:
    groups: tuple[WeightedGroup, ...]
    sticky_seconds: int | None = None
    """Duration of target group stickiness in AWS seconds; None when it is off."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """A redirect whose parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`."""

    protocol: str
    host: str
    port: str
    path: str
    query: str
    status: int

    def location(self, request: RequestedUrl, ports: Mapping[int, int]) -> str:
        """The Location header. `ports` maps the load balancer's listener ports to ports of this machine."""

        def filled(text: str) -> str:
            for keyword, value in (
                ("#{protocol}", request.protocol),
                ("#{host}", request.host),
                ("#{port}", str(request.port)),
                ("#{path}", request.path.removeprefix("/")),
                ("#{query}", request.query),
            ):
                text = text.replace(keyword, value)
            return text

        port = filled(self.port)
        if self.port.isdigit() and self.host == "#{host}":
            port = str(ports.get(int(self.port), self.port))
        query = filled(self.query)
        url = f"{filled(self.protocol).lower()}://{filled(self.host)}:{port}{filled(self.path)}"
        return f"{url}?{query}" if query else url


@dataclass(frozen=True, slots=True)
class RequestedUrl:
    """The parts of the URL a client requested."""

    protocol: str
    host: str
    port: int
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class FixedResponse:
    status: int
    content_type: str
    body: bytes


Action = Forward | Redirect | FixedResponse


def action(shape: Iterable[Mapping[str, Any]]) -> Action:
    """The routing action of a rule's `Actions`. Raises `ValueError` for a type that is not emulated."""
    ordered = sorted(shape, key=lambda item: item.get("Order") or 0)
    for item in ordered:
        if item["Type"] not in ("forward", "redirect", "fixed-response"):
            raise ValueError(
                f"The action type {item['Type']!r} is not emulated; use forward, redirect, fixed-response."
            )
    last = ordered[-1]
    if last["Type"] == "redirect":
        return _redirect(last["RedirectConfig"])
    if last["Type"] == "fixed-response":
        return _fixed_response(last["FixedResponseConfig"])
    return _forward(last)


def _forward(shape: Mapping[str, Any]) -> Forward:
    config = shape.get("ForwardConfig") or {}
    groups = tuple(
        WeightedGroup(group["TargetGroupArn"], int(group["Weight"]) if group.get("Weight") is not None else 1)
        for group in config.get("TargetGroups") or [{"TargetGroupArn": shape["TargetGroupArn"]}]
    )
    stickiness = config.get("TargetGroupStickinessConfig") or {}
    sticky = stickiness.get("Enabled") in (True, "true") and len(groups) > 1
    return Forward(groups, int(stickiness["DurationSeconds"]) if sticky else None)


def _redirect(config: Mapping[str, Any]) -> Redirect:
    return Redirect(
        protocol=config.get("Protocol") or "#{protocol}",
        host=config.get("Host") or "#{host}",
        port=str(config.get("Port") or "#{port}"),
        path=config.get("Path") or "/#{path}",
        query=config.get("Query", "#{query}") or "",
        status=301 if config["StatusCode"] == "HTTP_301" else 302,
    )


def _fixed_response(config: Mapping[str, Any]) -> FixedResponse:
    content_type = config.get("ContentType") or "text/plain"
    return FixedResponse(
        int(config["StatusCode"]),
        f"{content_type}; charset=utf-8",
        (config.get("MessageBody") or "").encode(),
    )
