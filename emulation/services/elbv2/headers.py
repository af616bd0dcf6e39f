"""Removes hop-by-hop headers, adds X-Forwarded-* and X-Amzn-Trace-Id."""

from __future__ import annotations

from email.utils import formatdate
from functools import lru_cache

from multidict import CIMultiDict, CIMultiDictProxy

from ...core.ids import Ids
from ...time.clock import Clock

HOP_BY_HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade")
MAX_FORWARDED_FOR = 30
"""Addresses in X-Forwarded-For; more are answered with 463."""


def without_hop_by_hop(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """A copy without hop-by-hop headers and the headers that Connection names."""
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
    """Set X-Forwarded-For (by the load balancer's mode), -Proto and -Port."""
    if mode == "remove":
        headers.popall("X-Forwarded-For", None)
    elif mode == "append":
        before = headers.popall("X-Forwarded-For", None)
        headers["X-Forwarded-For"] = ", ".join([*before, client]) if before else client
    headers["X-Forwarded-Proto"] = protocol
    headers["X-Forwarded-Port"] = str(port)


def add_trace_id(headers: CIMultiDict[str], clock: Clock, ids: Ids) -> str:
    """Set and return X-Amzn-Trace-Id: a new `Root`, or `Self` in front of the client's root."""
    received = headers.get("X-Amzn-Trace-Id", "").split(";")
    fields = [field for field in received if field and not field.startswith("Self=")]
    kind = "Self" if any(field.startswith("Root=") for field in fields) else "Root"
    trace_id = ";".join([f"{kind}=1-{int(clock.now()):08x}-{ids.hex(24)}", *fields])
    headers["X-Amzn-Trace-Id"] = trace_id
    return trace_id


@lru_cache(maxsize=64)
def http_date(epoch: int) -> str:
    """The format of Date and Expires headers."""
    return formatdate(epoch, usegmt=True)
