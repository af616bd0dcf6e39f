"""What a load balancer does to headers on their way: hop-by-hop ones stay behind, its own are added."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache

from multidict import CIMultiDict, CIMultiDictProxy

from ...core.ids import Ids
from ...time.clock import Clock

HOP_BY_HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade")
MAX_FORWARDED_FOR = 30
"""Addresses in X-Forwarded-For; a request with more is refused with 463."""


def without_hop_by_hop(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """A copy that may travel on: what Connection names belongs to this hop too."""
    kept = headers.copy()
    connection = kept.get("Connection")
    if connection is not None and connection.lower() not in ("keep-alive", "close"):
        for name in connection.split(","):
            kept.popall(name.strip(), None)
    for name in HOP_BY_HOP:
        if name in kept:
            del kept[name]
    return kept


def too_many_forwarders(headers: CIMultiDictProxy[str]) -> bool:
    return sum(value.count(",") + 1 for value in headers.getall("X-Forwarded-For", ())) > MAX_FORWARDED_FOR


def add_forwarded(headers: CIMultiDict[str], *, mode: str, client: str, protocol: str, port: int) -> None:
    """X-Forwarded-For (by the load balancer's mode), -Proto and -Port, as the target gets them."""
    if mode == "remove":
        headers.popall("X-Forwarded-For", None)
    elif mode == "append":
        before = headers.popall("X-Forwarded-For", None)
        headers["X-Forwarded-For"] = ", ".join([*before, client]) if before else client
    headers["X-Forwarded-Proto"] = protocol
    headers["X-Forwarded-Port"] = str(port)


def add_trace_id(headers: CIMultiDict[str], clock: Clock, ids: Ids) -> str:
    """X-Amzn-Trace-Id: a new root, or ourselves (`Self`) in front of the root that came; returns it."""
    here = f"1-{int(clock.now()):08x}-{ids.hex(24)}"
    came = headers.get("X-Amzn-Trace-Id")
    fields = [field for field in (came or "").split(";") if field and not field.startswith("Self=")]
    if any(field.startswith("Root=") for field in fields):
        trace_id = ";".join([f"Self={here}", *fields])
    else:
        trace_id = ";".join([f"Root={here}", *fields])
    headers["X-Amzn-Trace-Id"] = trace_id
    return trace_id


@lru_cache(maxsize=64)
def http_date(epoch: int) -> str:
    """As in Date and Expires headers."""
    return formatdate(epoch, usegmt=True)
