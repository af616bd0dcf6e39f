"""What a listener rule asks of a request: path, host, header, query string, method, source address."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Protocol

from multidict import CIMultiDictProxy


@dataclass(frozen=True, slots=True)
class Inquiry:
    """As much of a request as rules look at; everything as the client sent it."""

    method: str
    path: str
    """Without the query string, percent-encoding untouched."""
    query: str
    """Without the question mark."""
    host: str
    """The Host header without its port."""
    headers: CIMultiDictProxy[str]
    source: str
    """The address of the TCP connection's other end; X-Forwarded-For does not count."""


class Condition(Protocol):
    """One condition of a rule; a rule applies when all of its conditions hold."""

    def holds(self, request: Inquiry) -> bool: ...


@dataclass(frozen=True)
class Glob:
    """A pattern in which `*` stands for any characters, also none, and `?` for exactly one."""

    text: str
    ignore_case: bool = False
    escapes: bool = False
    r"""Whether `\*` and `\?` stand for the characters themselves (only query strings have this)."""
    matches: Callable[[str], object] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = self.text.replace("[", "[[]")
        if self.escapes:
            pattern = re.sub(r"\\([*?])", r"[\1]", pattern)
        compiled = re.compile(fnmatch.translate(pattern), re.IGNORECASE if self.ignore_case else 0)
        object.__setattr__(self, "matches", compiled.match)


@dataclass(frozen=True)
class PathPattern:
    """Case-sensitive, over the path only."""

    globs: tuple[Glob, ...]

    def holds(self, request: Inquiry) -> bool:
        path = request.path
        return any(glob.matches(path) for glob in self.globs)


@dataclass(frozen=True)
class HostHeader:
    globs: tuple[Glob, ...]

    def holds(self, request: Inquiry) -> bool:
        return any(glob.matches(request.host) for glob in self.globs)


@dataclass(frozen=True)
class HttpHeader:
    """One of the header's values matches one of the patterns."""

    name: str
    globs: tuple[Glob, ...]

    def holds(self, request: Inquiry) -> bool:
        values = request.headers.getall(self.name, ())
        return any(glob.matches(value) for value in values for glob in self.globs)


@dataclass(frozen=True)
class QueryString:
    """One of the query's pairs matches one of the wanted; a wanted pair without a key takes any key."""

    pairs: tuple[tuple[Glob | None, Glob], ...]

    def holds(self, request: Inquiry) -> bool:
        asked = [item.partition("=")[::2] for item in request.query.split("&") if item]
        return any(
            (key is None or key.matches(name)) and value.matches(content)
            for name, content in asked
            for key, value in self.pairs
        )


@dataclass(frozen=True)
class RequestMethod:
    """Case-sensitive, no wildcards."""

    methods: frozenset[str]

    def holds(self, request: Inquiry) -> bool:
        return request.method in self.methods


@dataclass(frozen=True)
class SourceIp:
    networks: tuple[IPv4Network | IPv6Network, ...]

    def holds(self, request: Inquiry) -> bool:
        return _lies_in(request.source, self.networks)


@lru_cache(maxsize=1024)
def _lies_in(source: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    address = ip_address(source)
    return any(address in network for network in networks)


def condition(declared: Mapping[str, Any]) -> Condition:
    """A condition from its `RuleCondition` shape. Raises `ValueError` for one that is not known here."""
    return _KINDS[declared["Field"]](declared) if declared.get("Field") in _KINDS else _unknown(declared)


def _unknown(declared: Mapping[str, Any]) -> Condition:
    raise ValueError(f"A rule condition on {declared.get('Field')!r} is not emulated; known are {', '.join(_KINDS)}.")


def _values(declared: Mapping[str, Any], config: str) -> list[Any]:
    return list(declared.get(config, {}).get("Values") or declared.get("Values") or ())


def _path_pattern(declared: Mapping[str, Any]) -> Condition:
    return PathPattern(tuple(Glob(value) for value in _values(declared, "PathPatternConfig")))


def _host_header(declared: Mapping[str, Any]) -> Condition:
    return HostHeader(tuple(Glob(value, ignore_case=True) for value in _values(declared, "HostHeaderConfig")))


def _http_header(declared: Mapping[str, Any]) -> Condition:
    globs = tuple(Glob(value, ignore_case=True) for value in _values(declared, "HttpHeaderConfig"))
    return HttpHeader(declared["HttpHeaderConfig"]["HttpHeaderName"], globs)


def _query_string(declared: Mapping[str, Any]) -> Condition:
    def glob(text: str) -> Glob:
        return Glob(text, ignore_case=True, escapes=True)

    pairs = _values(declared, "QueryStringConfig")
    return QueryString(tuple((glob(pair["Key"]) if pair.get("Key") else None, glob(pair["Value"])) for pair in pairs))


def _request_method(declared: Mapping[str, Any]) -> Condition:
    return RequestMethod(frozenset(_values(declared, "HttpRequestMethodConfig")))


def _source_ip(declared: Mapping[str, Any]) -> Condition:
    return SourceIp(tuple(ip_network(value, strict=False) for value in _values(declared, "SourceIpConfig")))


_KINDS: dict[str, Callable[[Mapping[str, Any]], Condition]] = {
    "path-pattern": _path_pattern,
    "host-header": _host_header,
    "http-header": _http_header,
    "query-string": _query_string,
    "http-request-method": _request_method,
    "source-ip": _source_ip,
}
