"""Makes the WSGI environment that moto reads a request from."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from .wire import HttpRequest

_UNPREFIXED = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def environ(request: HttpRequest) -> dict[str, Any]:
    """The environment of PEP 3333, with RAW_URI as moto reads it and no Transfer-Encoding (the body is whole)."""
    host, _, port = request.headers.get("host", "127.0.0.1").partition(":")
    env: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    underscored = {}
    for name, value in request.headers.items():
        if "_" in name:
            underscored[_key(name)] = name
        elif name != "transfer-encoding":
            env[_key(name)] = value
    env["CONTENT_LENGTH"] = str(len(request.body))
    if underscored:
        _add_underscored(env, underscored, request)
    return env


def _key(name: str) -> str:
    return _UNPREFIXED.get(name) or "HTTP_" + name.upper().replace("-", "_")


def _add_underscored(env: dict[str, Any], names: dict[str, str], request: HttpRequest) -> None:
    """S3 metadata keys may have underscores, which WSGI turns into dashes: moto reads their spelling from a separate
    key. As in moto's server, a name with dashes wins over the same name with underscores."""
    kept = {key: name for key, name in names.items() if name.startswith("x-amz-meta-") and key not in env}
    env.update({key: request.headers[name] for key, name in kept.items()})
    env["moto.preserved_header_names"] = kept


def to_moto(request: HttpRequest, account: str, region: str) -> Any:
    """The request as moto's type, for this account whatever its access key.

    moto finds the region in the Authorization header only: it is added to presigned requests, and to unsigned ones of
    the query protocol with `region`.
    """
    env = environ(request)
    env["HTTP_X_MOTO_ACCOUNT_ID"] = account
    if "HTTP_AUTHORIZATION" not in env:
        presigned = dict(parse_qsl(request.query)).get("X-Amz-Credential")
        if presigned is not None:
            env["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential={presigned}"
        elif "Action=" in request.query or request.body.startswith(b"Action="):
            env["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 Credential=anonymous/20260101/{region}/any/aws4_request"
    query = f"?{request.query}" if request.query else ""
    return _request_class()(env, f"http://{request.headers.get('host', '127.0.0.1')}{request.path}{query}")


def titled(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers as moto's functions expect them."""
    return {name.title(): value for name, value in headers.items()}


@cache
def _request_class() -> Any:
    from moto.core.request import Request  # noqa: PLC0415 - heavy

    class Served(Request):  # type: ignore[misc] # moto is untyped here
        """A request with a known URL (moto derives it twice), answered by a server that sends a Date."""

        from_wsgi_server = True

        def __init__(self, env: dict[str, Any], url: str) -> None:
            super().__init__(env)
            self._url = url

        @property
        def raw_url(self) -> str:
            return self._url

    return Served
