"""Removes hop-by-hop headers, adds X-Forwarded-* and X-Amzn-Trace-Id."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

from multidict import CIMultiDict, CIMultiDictProxy

from ...core.ids import Ids
from ...time.clock import Clock

HOP_BY_HOP = ("Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade")
LARGEST = 64 * 1024
"""Bytes of all headers of a request; more are answered with 400 (ELB quotas, "HTTP headers": entire request header).
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"""
_VALID = re.compile(r"[A-Za-z0-9-]+")
"""Names that `routing.http.drop_invalid_header_fields.enabled` lets through."""
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


def too_large(raw: Iterable[tuple[bytes, bytes]]) -> bool:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in raw) > LARGEST


def in_one_spelling(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    """Every name as it is first spelt: aiohttp's client sends only the last of two spellings."""
    spelling: dict[str, str] = {}
    return CIMultiDict((spelling.setdefault(name.lower(), name), value) for name, value in headers.items())


def without_invalid(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in headers.items() if _VALID.fullmatch(name))


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
