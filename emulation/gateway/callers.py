"""Access keys: who made a call, and whether it was signed with the secret of its key."""

from __future__ import annotations

import hmac
import math

from ..core.controller import Caller, Credentials
from ..core.errors import AwsError
from ..core.ids import Ids
from ..state.wire import HttpRequest
from ..time.clock import Clock
from .identify import Identity
from .signature import Signature, verify

ANONYMOUS = Caller("external", "anonymous")
ROOT = "root"
"""Name of the caller behind the run's key."""
_UNSIGNED_OPERATIONS = frozenset(
    {
        ("sns", "ConfirmSubscription"),
        ("sns", "Unsubscribe"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "AssumeRoleWithSAML"),
    }
)
"""Operations that AWS takes without a signature."""

_INVALID_KEY = {
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    "json": ("UnrecognizedClientException", "The security token included in the request is invalid.", 400),
    "": ("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
}
"""By service or protocol: code, message and status for a key that does not exist."""


class AccessKeys:
    """The access keys of one cloud, and the callers behind them.

    `root` is the run's key. With `insecure`, root's key and secret are that word, any other key is accepted as well,
    and no signature is verified.
    """

    def __init__(self, ids: Ids, clock: Clock | None = None, *, insecure: str = "") -> None:
        """Without a clock no key expires by itself."""
        self._ids = ids
        self._clock = clock
        self._insecure = bool(insecure)
        key, secret = (insecure, insecure) if insecure else (f"AKIA{ids.secret(16)}", ids.secret(40))
        self.root = Credentials(key, secret, "")
        self._credentials: dict[str, Credentials] = {}
        self._callers: dict[str, Caller] = {}
        self._revoked: set[str] = set()
        self._until: dict[str, float] = {}
        self.admit(self.root, Caller("external", ROOT))

    def admit(self, credentials: Credentials, caller: Caller, until: float | None = None) -> None:
        """Accept these keys for a caller, until a time in AWS epoch seconds, if given."""
        key = credentials.access_key_id
        self._credentials[key] = credentials
        self._callers[key] = caller
        self._revoked.discard(key)
        if until is not None:
            self._until[key] = until

    def issue(self, caller: Caller, until: float | None = None) -> Credentials:
        """New credentials, in the shapes STS gives them; refused from `until` on (AWS epoch seconds), if given."""
        made = Credentials("ASIA" + self._ids.alnum(16).upper(), self._ids.secret(40), self._ids.secret(120))
        self.admit(made, caller, until)
        return made

    def revoke(self, access_key_id: str) -> None:
        """Refuse calls signed with this key from now on. Unknown keys are ignored."""
        if self._callers.pop(access_key_id, None) is not None:
            self._credentials.pop(access_key_id)
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

    def named(self, identity: Identity) -> Caller:
        """Whom a request names as its sender, whether or not its signature is right."""
        return ANONYMOUS if identity.signature is None else self.caller(identity.signature.access_key)

    def authenticate(self, identity: Identity, request: HttpRequest) -> Caller:
        """Who signed a request, which is as it arrived. Raises `AwsError` for an unknown key or a wrong signature."""
        signature = identity.signature
        if signature is None:
            if self._insecure or (identity.service, identity.operation) in _UNSIGNED_OPERATIONS:
                return ANONYMOUS
            raise _missing(identity)
        caller = self.caller(signature.access_key)
        if self._insecure:
            return caller
        credentials = self._credentials.get(signature.access_key)
        if credentials is None or not hmac.compare_digest(signature.token, credentials.session_token):
            kind = identity.service if identity.service in _INVALID_KEY else identity.protocol
            code, message, status = _INVALID_KEY.get(kind, _INVALID_KEY[""])
            raise AwsError(code, message, status=status)
        self._verify(identity, request, signature, credentials)
        return caller

    def _verify(self, identity: Identity, request: HttpRequest, signature: Signature, keys: Credentials) -> None:
        try:
            verify(request, signature, keys.secret_access_key)
        except AwsError as error:
            if identity.protocol == "json" and error.code == "SignatureDoesNotMatch":
                raise AwsError("InvalidSignatureException", str(error.message), status=403) from None
            raise


def _missing(identity: Identity) -> AwsError:
    if identity.service == "s3":
        return AwsError("AccessDenied", "Access Denied", status=403)
    return AwsError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
