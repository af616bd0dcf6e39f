"""Access keys, which identify the caller of each call."""

from __future__ import annotations

import math

from ..core.controller import Caller, Credentials
from ..core.errors import AwsError
from ..core.ids import Ids
from ..time.clock import Clock

ANONYMOUS = Caller("external", "anonymous")


class AccessKeys:
    """Issues temporary credentials and finds the caller of a key. An unknown key is a user's."""

    def __init__(self, ids: Ids, clock: Clock | None = None) -> None:
        """Without a clock no key expires."""
        self._ids = ids
        self._clock = clock
        self._callers: dict[str, Caller] = {}
        self._revoked: set[str] = set()
        self._until: dict[str, float] = {}

    def issue(self, caller: Caller, until: float | None = None) -> Credentials:
        """New credentials, formatted as by STS; refused from `until` on (AWS epoch seconds), if given."""
        key = "ASIA" + self._ids.alnum(16).upper()
        self._callers[key] = caller
        if until is not None:
            self._until[key] = until
        return Credentials(key, self._ids.alnum(40), self._ids.alnum(120))

    def revoke(self, access_key_id: str) -> None:
        """Refuse calls signed with this key from now on. Unknown keys are ignored."""
        if self._callers.pop(access_key_id, None) is not None:
            self._revoked.add(access_key_id)

    def caller(self, access_key_id: str) -> Caller:
        """The caller with this key. Raises `AwsError` for a revoked or expired key."""
        if not access_key_id:
            return ANONYMOUS
        if self._clock is not None and self._clock.now() >= self._until.get(access_key_id, math.inf):
            self.revoke(access_key_id)
            del self._until[access_key_id]
        if access_key_id in self._revoked:
            raise AwsError("ExpiredTokenException", "The security token included in the request is expired", status=403)
        return self._callers.get(access_key_id) or Caller("external", access_key_id)
