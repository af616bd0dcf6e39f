"""HTTP answers: Hermes' six routes and edit's, by method and path, without prefix stripping."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from ...core.eventually import shortened
from .terms import EpochSeconds, IsoTime, Terms, Text, agreed, broken

Status = Literal["initializing", "active", "draining", "expired"]


class Problem(Terms):
    """Any error, in NestJS's format."""

    statusCode: int
    message: str


class HermesHealth(Terms):
    status: Literal["healthy"]
    timestamp: IsoTime


class Activated(Terms):
    sessionId: Text
    previewUrl: Text
    status: Literal["initializing", "active"]


class SessionStatus(Terms):
    status: Status
    containerIp: str
    """Empty until a container has worked for the session."""
    lastActivity: IsoTime
    previewUrl: Text


class KeptAlive(Terms):
    ttl: EpochSeconds
    status: Status


class Deactivated(Terms):
    status: Literal["draining"]
    message: str


class SessionOfClient(Terms):
    sessionId: Text
    userId: Text
    status: Status
    previewUrl: Text
    lastActivity: IsoTime


class EditHealth(Terms):
    status: Literal["healthy"]


class EditUnhealthy(Terms):
    status: Literal["unhealthy"]
    reason: Text


class SessionHealth(Terms):
    status: Text
    sessionId: Text


class WorkDone(Terms):
    commit: Text
    changed: list[str]
    summary: str


@dataclass(frozen=True)
class Endpoint:
    """A route with its status of success, its terms, and the terms of errors other than `Problem`."""

    method: str
    path: str
    """`{name}` matches one segment."""
    success: int
    terms: type[Terms]
    otherwise: Mapping[int, type[Terms]] = field(default_factory=dict)
    is_list: bool = False
    """Success is a list of these terms."""

    def matches(self, method: str, path: str) -> bool:
        segment = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", self.path)
        )
        return method == self.method and re.fullmatch(segment, path) is not None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_SESSIONS = "/hermes/api/sessions"
ENDPOINTS = (
    Endpoint("GET", "/hermes/health", 200, HermesHealth),
    Endpoint("POST", f"{_SESSIONS}/activate", 201, Activated),
    Endpoint("GET", f"{_SESSIONS}/{{id}}/status", 200, SessionStatus),
    Endpoint("POST", f"{_SESSIONS}/{{id}}/keepalive", 201, KeptAlive),
    Endpoint("POST", f"{_SESSIONS}/{{id}}/deactivate", 201, Deactivated),
    Endpoint("GET", f"{_SESSIONS}/client/{{clientId}}", 200, SessionOfClient, is_list=True),
    Endpoint("GET", "/api/health", 200, EditHealth, {503: EditUnhealthy}),
    Endpoint("GET", "/session/{id}/health", 200, SessionHealth),
    Endpoint("POST", "/api/sessions/{id}/work", 200, WorkDone),
)


def endpoint_of(method: str, url: str) -> Endpoint | None:
    """The route of a request; None for one without terms (the pages of a preview)."""
    path = urlsplit(url).path
    return next((endpoint for endpoint in ENDPOINTS if endpoint.matches(method, path)), None)


def check_answer(method: str, url: str, status: int, body: str) -> Endpoint | None:
    """Check an answer of the system (not of its load balancer); returns its route, None without terms.

    Raises `ContractBroken`.
    """
    __tracebackhide__ = True
    endpoint = endpoint_of(method, url)
    if endpoint is None:
        return None
    hop = f"the answer {status} of {method} {url}"
    success = status == endpoint.success
    if not success and status < 400:
        raise broken(endpoint.terms.__name__, hop, [f"the status of success is {endpoint.success}"])
    terms = endpoint.terms if success else endpoint.otherwise.get(status, Problem)
    try:
        value = json.loads(body)
    except ValueError:
        raise broken(terms.__name__, hop, [f"it is no JSON: {shortened(body, 200)}"]) from None
    if success and endpoint.is_list:
        _check_list(terms, value, hop)
        return endpoint
    answer = agreed(terms, value, hop)
    if isinstance(answer, Problem) and answer.statusCode != status:
        raise broken(terms.__name__, hop, [f"statusCode is {answer.statusCode}, the status is {status}"])
    return endpoint


def _check_list(terms: type[Terms], value: object, hop: str) -> None:
    if not isinstance(value, list):
        raise broken(terms.__name__, hop, [f"it is no list: {shortened(value, 200)}"])
    for at, entry in enumerate(value):
        agreed(terms, entry, f"{hop}, entry {at}")
