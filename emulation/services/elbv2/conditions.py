"""Conditions of a listener rule: path, host, header, query string, method, source address."""

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
class RequestAttributes:
    """The parts of a request that rules match, as the client sent them."""

    method: str
    path: str
    """Without the query string, percent-encoding untouched."""
    query: str
    """Without the question mark."""
    host: str
    """The Host header without its port."""
    headers: CIMultiDictProxy[str]
    source: str
    """Peer address of the TCP connection; X-Forwarded-For is ignored."""


class Condition(Protocol):
    """One condition of a rule; a rule applies when all its conditions hold."""

    def holds(self, request: RequestAttributes) -> bool: ...


@dataclass(frozen=True)
class Glob:
    """A pattern where `*` matches any number of characters and `?` exactly one."""

    text: str
    ignore_case: bool = False
    escapes: bool = False
    r"""Whether `\*` and `\?` are literal characters (query strings only)."""
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

    def holds(self, request: RequestAttributes) -> bool:
        path = request.path
        return any(glob.matches(path) for glob in self.globs)


@dataclass(frozen=True)
class HostHeader:
    globs: tuple[Glob, ...]

    def holds(self, request: RequestAttributes) -> bool:
        return any(glob.matches(request.host) for glob in self.globs)


@dataclass(frozen=True)
class HttpHeader:
    """One of the header's values matches one of the patterns."""

    name: str
    globs: tuple[Glob, ...]

    def holds(self, request: RequestAttributes) -> bool:
        values = request.headers.getall(self.name, ())
        return any(glob.matches(value) for value in values for glob in self.globs)


@dataclass(frozen=True)
class QueryString:
    """A pair of the query matches one of these; None as the key matches any key."""

    pairs: tuple[tuple[Glob | None, Glob], ...]

    def holds(self, request: RequestAttributes) -> bool:
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

    def holds(self, request: RequestAttributes) -> bool:
        return request.method in self.methods


@dataclass(frozen=True)
class SourceIp:
    networks: tuple[IPv4Network | IPv6Network, ...]

    def holds(self, request: RequestAttributes) -> bool:
        return _lies_in(request.source, self.networks)


@lru_cache(maxsize=1024)
def _lies_in(source: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    address = ip_address(source)
    return any(address in network for network in networks)


def condition(shape: Mapping[str, Any]) -> Condition:
    """Parse a `RuleCondition`. Raises `ValueError` for a field that is not emulated."""
    field_name = shape.get("Field")
    if field_name not in _PARSERS:
        raise ValueError(f"A rule condition on {field_name!r} is not emulated; known are {', '.join(_PARSERS)}.")
    config_name, parse = _PARSERS[field_name]
    config = shape.get(config_name, {})
    return parse(list(config.get("Values") or shape.get("Values") or ()), config)


def _globs(values: list[str], *, ignore_case: bool = False) -> tuple[Glob, ...]:
    return tuple(Glob(value, ignore_case) for value in values)


def _query_string(pairs: list[Any], config: Mapping[str, Any]) -> Condition:
    def glob(text: str) -> Glob:
        return Glob(text, ignore_case=True, escapes=True)

    return QueryString(tuple((glob(pair["Key"]) if pair.get("Key") else None, glob(pair["Value"])) for pair in pairs))


_PARSERS: dict[str, tuple[str, Callable[[list[Any], Mapping[str, Any]], Condition]]] = {
    "path-pattern": ("PathPatternConfig", lambda values, _: PathPattern(_globs(values))),
    "host-header": ("HostHeaderConfig", lambda values, _: HostHeader(_globs(values, ignore_case=True))),
    "http-header": (
        "HttpHeaderConfig",
        lambda values, config: HttpHeader(config["HttpHeaderName"], _globs(values, ignore_case=True)),
    ),
    "query-string": ("QueryStringConfig", _query_string),
    "http-request-method": ("HttpRequestMethodConfig", lambda values, _: RequestMethod(frozenset(values))),
    "source-ip": (
        "SourceIpConfig",
        lambda values, _: SourceIp(tuple(ip_network(value, strict=False) for value in values)),
    ),
}
"""Field → (name of its config member, parser of its values)."""
