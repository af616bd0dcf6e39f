"""AWS Signature Version 4, verified: header-signed and presigned requests.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

The date is not compared with a clock: the cloud's clock may run faster than its clients'.
"""

from __future__ import annotations

import hashlib
import hmac
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ..core.errors import AwsError
from ..state.wire import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
PRESIGNED_BEFORE = "HMAC-SHA1"
"""Signature Version 2, in which boto3 still presigns S3 URLs by default."""
UNSIGNED = "UNSIGNED-PAYLOAD"
_STREAMING = "STREAMING-"
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


@dataclass(frozen=True)
class Signature:
    """The parts of a signed request's `Authorization` header, or of a presigned URL."""

    access_key: str
    date: str
    """Day of the credential scope, `YYYYMMDD`."""
    region: str
    signing_name: str
    timestamp: str = ""
    """`X-Amz-Date`, for example `20261201T120000Z`."""
    signed_headers: tuple[str, ...] = ()
    signature: str = ""
    algorithm: str = ALGORITHM
    presigned: bool = False
    token: str = ""
    """The session token of temporary credentials."""


def signature_of(request: HttpRequest) -> Signature | None:
    """The signature of a request; None when it is unsigned. Raises `AwsError` for a malformed one."""
    authorization = request.headers.get("authorization", "")
    if "Credential=" in authorization:
        algorithm, _, rest = authorization.strip().partition(" ")
        fields = dict(_pair(each) for each in rest.split(","))
        timestamp = request.headers.get("x-amz-date") or request.headers.get("date", "")
        token = request.headers.get("x-amz-security-token", "")
    elif "X-Amz-Credential=" in request.query:
        query = dict(parse_qsl(request.query, keep_blank_values=True))
        algorithm, timestamp = query.get("X-Amz-Algorithm", ""), query.get("X-Amz-Date", "")
        fields = {name: query.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")}
        token = query.get("X-Amz-Security-Token", "")
    elif "AWSAccessKeyId=" in request.query:
        return _version_2(dict(parse_qsl(request.query, keep_blank_values=True)))
    else:
        return None
    scope = fields.get("Credential", "").split("/")
    if len(scope) < 5:
        raise AwsError(
            "IncompleteSignature",
            f"Credential must be <key>/<date>/<region>/<service>/aws4_request, got {fields.get('Credential', '')!r}.",
        )
    return Signature(
        access_key="/".join(scope[:-4]),
        date=scope[-4],
        region=scope[-3],
        signing_name=scope[-2],
        timestamp=timestamp,
        signed_headers=tuple(name for name in fields.get("SignedHeaders", "").lower().split(";") if name),
        signature=fields.get("Signature", ""),
        algorithm=algorithm,
        presigned="Credential=" not in authorization,
        token=token,
    )


def _version_2(query: Mapping[str, str]) -> Signature:
    return Signature(
        access_key=query["AWSAccessKeyId"],
        date="",
        region="",
        signing_name="s3",
        timestamp=query.get("Expires", ""),
        signature=query.get("Signature", ""),
        algorithm=PRESIGNED_BEFORE,
        presigned=True,
        token=query.get("x-amz-security-token", ""),
    )


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.strip().partition("=")
    return name, value


def verify(request: HttpRequest, signature: Signature, secret: str) -> None:
    """Check that a request was signed with `secret` and carries the payload that was signed.

    Raises `AwsError`: `IncompleteSignature` when a part is missing, `SignatureDoesNotMatch` otherwise.
    """
    if signature.algorithm == PRESIGNED_BEFORE:
        _verify_version_2(request, signature, secret)
        return
    if signature.algorithm != ALGORITHM:
        raise AwsError(
            "IncompleteSignature", f"Unsupported AWS 'algorithm': {signature.algorithm!r}, expected {ALGORITHM}."
        )
    if not signature.signature or not signature.timestamp or "host" not in signature.signed_headers:
        raise AwsError("IncompleteSignature", "Authorization requires SignedHeaders with host, Signature and a date.")
    payload = _payload_hash(request, signature)
    scope = f"{signature.date}/{signature.region}/{signature.signing_name}/aws4_request"
    canonical = hashlib.sha256(_canonical(request, signature, payload).encode()).hexdigest()
    to_sign = "\n".join([ALGORITHM, signature.timestamp, scope, canonical])
    key = _signing_key(secret, signature.date, signature.region, signature.signing_name)
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.signature.encode()):
        raise AwsError("SignatureDoesNotMatch", _MISMATCH, status=403)


def _verify_version_2(request: HttpRequest, signature: Signature, secret: str) -> None:
    from botocore.auth import HmacV1QueryAuth  # noqa: PLC0415 - heavy
    from botocore.credentials import Credentials  # noqa: PLC0415

    auth = HmacV1QueryAuth(Credentials(signature.access_key, secret, signature.token or None))
    kept = {name: value for name, value in request.headers.items() if name in ("content-md5", "content-type")}
    target = urlsplit(f"http://host{request.path}?{request.query}")
    expected = auth.sign_string(auth.canonical_string(request.method, target, kept, expires=signature.timestamp))
    if not hmac.compare_digest(expected.encode(), signature.signature.encode()):
        raise AwsError("SignatureDoesNotMatch", _MISMATCH, status=403)


def _payload_hash(request: HttpRequest, signature: Signature) -> str:
    """The payload's place in the canonical request. A hash that the client sent must be that of the body."""
    sent = request.headers.get("x-amz-content-sha256")
    if sent is not None and (sent == UNSIGNED or sent.startswith(_STREAMING)):
        return sent
    if sent is None and signature.presigned and signature.signing_name == "s3":
        return UNSIGNED
    body = hashlib.sha256(request.body).hexdigest()
    if sent is not None and sent != body:
        raise AwsError(
            "XAmzContentSHA256Mismatch" if signature.signing_name == "s3" else "SignatureDoesNotMatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
    return body


def _canonical(request: HttpRequest, signature: Signature, payload: str) -> str:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.signed_headers
    )
    return "\n".join(
        [
            request.method,
            _path(request.path, signature.signing_name),
            _query(request.query),
            headers,
            ";".join(signature.signed_headers),
            payload,
        ]
    )


def _path(path: str, signing_name: str) -> str:
    """S3 signs the path as sent; every other service normalizes it and encodes it a second time."""
    if signing_name == "s3":
        return quote(path, safe="/~%")
    normal = "/" + posixpath.normpath(path).lstrip("/")
    return quote(f"{normal}/" if path.endswith("/") and normal != "/" else normal, safe="/~")


def _query(query: str) -> str:
    pairs: Iterable[tuple[str, str]] = (
        (unquote(name), unquote(value)) for name, _, value in (each.partition("=") for each in query.split("&") if each)
    )
    encoded = [(quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded) if name != "X-Amz-Signature")


@lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, signing_name: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, signing_name, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
