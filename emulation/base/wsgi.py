"""A WSGI environment from a request, without a server: the form in which moto takes its requests."""

from __future__ import annotations

import io
import sys
from typing import Any
from urllib.parse import unquote_to_bytes

from emulation.base.wire import HttpRequest

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
    preserved = {}
    for name, value in request.headers.items():
        if name == "transfer-encoding":
            continue
        key = _UNPREFIXED.get(name) or "HTTP_" + name.upper().replace("-", "_")
        env[key] = value
        if "_" in name and name.startswith("x-amz-meta-"):
            preserved[key] = name
    env["CONTENT_LENGTH"] = str(len(request.body))
    if preserved:
        env["moto.preserved_header_names"] = preserved
    return env
