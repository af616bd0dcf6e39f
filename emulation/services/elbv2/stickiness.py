"""Sticky sessions by load balancer cookies.

A cookie holds the target or target group, its expiry and a keyed hash over both, so the load balancer keeps no state.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from hashlib import blake2b
from hmac import compare_digest

from multidict import CIMultiDictProxy

from ...core.ids import Ids
from ...time.clock import Clock
from .headers import http_date
from .routing_table import Stickiness
from .targets import Pool, Target

TARGET_COOKIE = "AWSALB"
GROUP_COOKIE = "AWSALBTG"
APPLICATION_COOKIE = "AWSALBAPP-0"
APPLICATION_COOKIE_SECONDS = 7 * 86_400
_SEAL = 16


class StickySessions:
    """Writes and reads stickiness cookies."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._key = ids.hex(64).encode()

    def group(self, headers: CIMultiDictProxy[str], rule_arn: str) -> str | None:
        """The target group ARN in the client's cookie for this rule."""
        return self._bound(headers, GROUP_COOKIE, rule_arn)

    def target(self, headers: CIMultiDictProxy[str], group_arn: str, how: Stickiness, pool: Pool) -> Target | None:
        """The target in the client's cookie, if it is usable."""
        name = TARGET_COOKIE
        if how.application_cookie is not None:
            if cookie(headers, how.application_cookie) is None:
                return None
            name = APPLICATION_COOKIE
        bound = self._bound(headers, name, group_arn)
        if bound is None:
            return None
        return next((target for target in pool.usable() if f"{target.id}:{target.port}" == bound), None)

    def group_cookies(self, rule_arn: str, group_arn: str, seconds: int) -> Iterator[str]:
        """Set-Cookie values for target group stickiness."""
        yield from self._pair(GROUP_COOKIE, rule_arn, group_arn, seconds)

    def target_cookies(
        self, target: Target, how: Stickiness, request: CIMultiDictProxy[str], answer: CIMultiDictProxy[str]
    ) -> Iterator[str]:
        """Set-Cookie values for target stickiness; with an application cookie only once the target has set that."""
        address = f"{target.id}:{target.port}"
        if how.application_cookie is None:
            yield from self._pair(TARGET_COOKIE, target.group_arn, address, how.seconds)
            return
        prefix = f"{how.application_cookie}="
        fresh = any(value.startswith(prefix) for value in answer.getall("Set-Cookie", ()))
        if fresh or cookie(request, how.application_cookie) is not None:
            value = self._sealed(APPLICATION_COOKIE, target.group_arn, address, how.seconds)
            yield f"{APPLICATION_COOKIE}={value}; Expires={self._expires(APPLICATION_COOKIE_SECONDS)}; Path=/"

    def _pair(self, name: str, scope: str, bound: str, seconds: int) -> Iterator[str]:
        value = self._sealed(name, scope, bound, seconds)
        expires = self._expires(seconds)
        yield f"{name}={value}; Expires={expires}; Path=/"
        yield f"{name}CORS={value}; Expires={expires}; Path=/; SameSite=None"

    def _expires(self, seconds: int) -> str:
        return http_date(int(self._clock.now()) + seconds)

    def _sealed(self, name: str, scope: str, bound: str, seconds: int) -> str:
        text = f"{name}|{scope}|{self._clock.now() + seconds:.0f}|{bound}".encode()
        return urlsafe_b64encode(self._seal(text) + text).decode()

    def _bound(self, headers: CIMultiDictProxy[str], name: str, scope: str) -> str | None:
        value = cookie(headers, name) or cookie(headers, f"{name}CORS")
        if value is None:
            return None
        try:
            raw = urlsafe_b64decode(value)
        except ValueError:
            return None
        seal, text = raw[:_SEAL], raw[_SEAL:]
        if not compare_digest(seal, self._seal(text)):
            return None
        kind, bound_scope, expires, bound = text.decode().split("|")
        valid = kind == name and bound_scope == scope and float(expires) > self._clock.now()
        return bound if valid else None

    def _seal(self, text: bytes) -> bytes:
        return blake2b(text, key=self._key, digest_size=_SEAL).digest()


def cookie(headers: CIMultiDictProxy[str], name: str) -> str | None:
    """The value of one cookie of a request."""
    for header in headers.getall("Cookie", ()):
        for item in header.split(";"):
            key, _, value = item.partition("=")
            if key.strip() == name:
                return value.strip()
    return None
