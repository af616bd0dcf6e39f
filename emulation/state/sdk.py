"""The work of an SDK: serialises requests and parses answers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from ..core.errors import AwsError
from .models import operation_model, service_model
from .wire import HttpRequest, HttpResponse

_SUPPORTED = ("json", "rest-json", "rest-xml", "query", "ec2")
"""moto's protocols; it lacks newer ones (RPC v2 CBOR)."""


def to_request(service: str, operation: str, region: str, params: Mapping[str, Any], host: str) -> HttpRequest:
    """The request an SDK would send for these (valid) parameters, with a dummy signature."""
    from botocore.awsrequest import create_request_object, prepare_request_dict  # noqa: PLC0415 - heavy

    serialized = _serializer(_protocol(service)).serialize_to_request(dict(params), operation_model(service, operation))
    prepare_request_dict(serialized, f"http://{host}")
    prepared = create_request_object(serialized).prepare()
    url = urlsplit(prepared.url)
    headers = {name.lower(): _text(value) for name, value in prepared.headers.items()}
    headers["host"] = host
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential=AKIAEMULATEDCLOUD000/20000101/{region}/{service}/aws4_request"
    )
    body = prepared.body or b""
    return HttpRequest(
        prepared.method, url.path or "/", url.query, headers, body.encode() if isinstance(body, str) else bytes(body)
    )


def to_result(service: str, operation: str, response: HttpResponse) -> dict[str, Any]:
    """The result an SDK would return for this answer, without metadata. Raises `AwsError` for an error."""
    from botocore.awsrequest import HeadersDict  # noqa: PLC0415 - heavy

    answer = {"status_code": response.status, "headers": HeadersDict(response.headers), "body": response.body}
    parser, model = _parser(_protocol(service)), operation_model(service, operation)
    file = model.output_shape.serialization.get("payload") if model.has_streaming_output else None
    if file is not None and response.status < 300:
        answer["body"] = BytesIO(response.body)  # the parser leaves a stream alone
    parsed: dict[str, Any] = parser.parse(answer, model.output_shape)
    parsed.pop("ResponseMetadata", None)
    if response.status < 300:
        return {**parsed, file: response.body} if file is not None else parsed
    error = parsed.get("Error", {})
    code = str(error.get("Code") or response.status)
    shape = service_model(service).shape_for_error_code(code)
    extra = parser.parse(answer, shape) if shape is not None else {}
    members = {
        name: value for name, value in extra.items() if name.lower() not in ("message", "error", "responsemetadata")
    }
    raise AwsError(code, str(error.get("Message", "")), status=response.status, **members)


def _protocol(service: str) -> str:
    metadata = service_model(service).metadata
    offered: list[str] = [metadata["protocol"], *metadata.get("protocols", ())]
    return next((protocol for protocol in offered if protocol in _SUPPORTED), offered[0])


@cache
def _serializer(protocol: str) -> Any:
    from botocore.serialize import create_serializer  # noqa: PLC0415 - heavy

    return create_serializer(protocol, include_validation=False)


@cache
def _parser(protocol: str) -> Any:
    from botocore.parsers import create_parser  # noqa: PLC0415 - heavy

    return create_parser(protocol)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
