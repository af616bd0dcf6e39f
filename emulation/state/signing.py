"""Signs requests for an endpoint with its credentials, instead of the client's signature."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, quote

from .models import service_model
from .wire import HttpRequest

_VARIABLES = ("BASE_AWS_ACCESS_KEY_ID", "BASE_AWS_SECRET_ACCESS_KEY", "BASE_AWS_SESSION_TOKEN")
_CLIENT_HEADERS = frozenset(
    {"host", "authorization", "connection", "content-length", "transfer-encoding", "x-amz-date", "x-amz-security-token",
     "x-amz-content-sha256", "expect", "accept-encoding", "keep-alive", "proxy-connection"}
)  # fmt: skip
"""Headers of the connection between client and gateway, not passed on."""

_LEGACY_PRESIGNED = ("AWSAccessKeyId", "Signature", "Expires")
"""Parameters of presigned URLs before Signature Version 4."""


@dataclass(frozen=True)
class Keys:
    """An endpoint's credentials."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, account: str, environ: Mapping[str, str] = os.environ) -> Keys:
        """The keys in the environment (BASE_AWS_ACCESS_KEY_ID …). By default the access key is the account's number:
        LocalStack and MiniStack read the account from it, others accept any key. Raises ValueError when one of the two
        is missing."""
        key, secret, token = (environ.get(name, "") for name in _VARIABLES)
        if bool(key) != bool(secret):
            missing = _VARIABLES[1] if key else _VARIABLES[0]
            raise ValueError(f"{missing} is missing: the credentials of the base are both or none")
        return cls(key, secret, token) if key else cls(account, "base")


def signed(request: HttpRequest, origin: str, service: str, region: str, keys: Keys) -> dict[str, str]:
    """The signed headers for a request to `origin` (scheme, host and port)."""
    from botocore.auth import S3SigV4Auth, SigV4Auth  # noqa: PLC0415 - heavy
    from botocore.awsrequest import AWSRequest  # noqa: PLC0415
    from botocore.credentials import Credentials  # noqa: PLC0415

    headers = {name: value for name, value in request.headers.items() if name not in _CLIENT_HEADERS}
    url = f"{origin}{request.path}{'?' + request.query if request.query else ''}"
    made = AWSRequest(method=request.method, url=url, data=request.body, headers=headers)
    credentials = Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token or None)
    auth: Any = S3SigV4Auth if service == "s3" else SigV4Auth
    auth(credentials, service_model(service).signing_name, region).add_auth(made)
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in made.headers.items()}


def bare(request: HttpRequest) -> HttpRequest:
    """An S3 request without the client's signature: no presigned parameters, no signed chunks."""
    query = request.query
    if "Signature=" in query:
        pairs = parse_qsl(query, keep_blank_values=True)
        kept = [pair for pair in pairs if not pair[0].startswith("X-Amz-") and pair[0] not in _LEGACY_PRESIGNED]
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in kept)
    if not request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return replace(request, query=query)
    body, trailers = _unchunked(request.body)
    headers = {**request.headers, **trailers}
    for name in ("x-amz-decoded-content-length", "x-amz-trailer", "x-amz-content-sha256"):
        headers.pop(name, None)
    encodings = [each.strip() for each in headers.pop("content-encoding", "").split(",")]
    if rest := ",".join(each for each in encodings if each not in ("", "aws-chunked")):
        headers["content-encoding"] = rest
    return replace(request, query=query, headers=headers, body=body)


def _unchunked(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The content and trailing checksums of an aws-chunked body."""
    content, place = bytearray(), 0
    while True:
        end = body.index(b"\r\n", place)
        size = int(body[place:end].partition(b";")[0], 16)
        if size == 0:
            lines = body[end + 2 :].decode().split("\r\n")
            pairs = (line.partition(":") for line in lines if line.startswith("x-amz-checksum-"))
            return bytes(content), {name: value.strip() for name, _, value in pairs}
        content += body[end + 2 : end + 2 + size]
        place = end + 2 + size + 2
