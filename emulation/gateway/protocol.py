"""AWS's wire formats: parses requests and serialises results and errors by botocore's models.

The parsers and serialisers of query, ec2, json, rest-json and rest-xml are moto's; RPC v2 CBOR is `cbor`.
Parameters are botocore-shaped, with aware UTC timestamps.
"""

from __future__ import annotations

import binascii
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from ..core.errors import AwsError
from ..state.models import is_service, operation_model, service_model
from ..state.moto_patches import wire_format
from ..state.wire import HttpResponse
from . import cbor
from .identify import CBOR, Identity

_UNREADABLE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,  # a number such as 1e999
    RecursionError,  # a document nested a thousand deep
    binascii.Error,
    cbor.MalformedError,
)


def parse(identity: Identity) -> dict[str, Any]:
    """Parse the request's parameters. Raises `AwsError` when they cannot be read."""
    model = operation_model(identity.service, identity.operation)
    body = identity.request.body
    try:
        if identity.protocol == CBOR:
            return cbor.parse(body, model)
        request = identity.request
        if identity.protocol in ("query", "ec2"):
            text = body.decode() or request.query
            values: Any = dict(parse_qsl(text, keep_blank_values=True))
        elif identity.protocol == "json":
            values = {}
        else:
            values = _multi_dict(request.query)
        parser = _parser_class(identity.protocol)(model, timestamp_parser=_timestamp)
        parsed: dict[str, Any] = parser.parse(
            {
                "method": request.method,
                "values": values,
                "headers": _headers(request.headers),
                "body": body,
                "url_path": request.path,
                "url_params": identity.uri_params,
            }
        )
        return parsed or {}
    except _UNREADABLE as error:
        raise AwsError(
            "SerializationException", f"{identity.service}:{identity.operation}: the request cannot be read: {error}"
        ) from error
    except Exception as error:
        if type(error).__name__ != "RequestParserError":  # moto's, not imported: heavy
            raise
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message) from error


def check_json(identity: Identity) -> None:
    """Raises `AwsError` for a body that is not JSON where the protocol has it: moto answers it as if it were empty."""
    if identity.protocol == "json" and identity.request.body:
        wire_format.read_json(identity.request.body)


def with_content_type(identity: Identity, response: HttpResponse) -> HttpResponse:
    """An answer of the state store, with the content type that moto leaves out."""
    if identity.protocol != "json" or any(name.lower() == "content-type" for name in response.headers):
        return response
    return replace(response, headers={**response.headers, "content-type": _json_type(service_model(identity.service))})


def _json_type(model: Any) -> str:
    return f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.0')}"


def takes_a_file(identity: Identity) -> bool:
    """Whether the body is a file, as in S3's PutObject, and no document."""
    service = service_model(identity.service)
    if identity.operation not in service.operation_names:
        return False
    shape = service.operation_model(identity.operation).input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    return payload is not None and shape.members[payload].type_name in ("blob", "string")


def serialize(identity: Identity, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    """Serialise a result, conforming to its shape, in the client's protocol."""
    from moto.core.serialize import SerializationContext, get_serializer_class  # noqa: PLC0415 - heavy

    model = operation_model(identity.service, identity.operation)
    if identity.protocol == CBOR:
        return cbor.serialize(result, model, request_id)
    serializer_class = get_serializer_class(identity.service, identity.protocol)
    serialized = serializer_class(model, context=SerializationContext(request_id)).serialize(result)
    return _response(serialized, serialized["status_code"], request_id, model.service_model, identity.protocol)


def serialize_error(identity: Identity | None, error: AwsError, request_id: str) -> HttpResponse:
    """Serialise an error in the client's protocol, or as JSON when the service is unknown."""
    if error.code == "ExpiredTokenException" and identity is not None and identity.protocol in _EXPIRED_CODES:
        error = AwsError(_EXPIRED_CODES[identity.protocol], error.message, status=error.status)
    if identity is None or not is_service(identity.service):
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        headers = {"content-type": "application/json", "x-amzn-errortype": error.code, "x-amzn-requestid": request_id}
        return HttpResponse(error.status, headers, body)
    from moto.core.model import OperationModel  # noqa: PLC0415 - heavy
    from moto.core.serialize import SerializationContext, get_serializer_class  # noqa: PLC0415

    model = service_model(identity.service)
    operation = model.operation_model(identity.operation) if identity.operation in model.operation_names else None
    status = _status(error, model)
    if identity.protocol == CBOR:
        return cbor.serialize_error(error, model, status, request_id)
    serializer_class = get_serializer_class(identity.service, identity.protocol)
    with warnings.catch_warnings():  # moto warns of codes that the models do not list; AWS has many
        warnings.simplefilter("ignore")
        serialized = serializer_class(
            operation if operation is not None else OperationModel({}, model), context=SerializationContext(request_id)
        ).serialize(_Modelled(error))
    return _response(serialized, status, request_id, model, identity.protocol)


_EXPIRED_CODES = {"query": "ExpiredToken", "rest-xml": "ExpiredToken", "ec2": "RequestExpired"}
"""The error code of an expired session in XML protocols; others use ExpiredTokenException."""


class _Modelled(Exception):
    """An error as moto's serialisers expect it: code, message and modelled members as attributes."""

    def __init__(self, error: AwsError) -> None:
        super().__init__(error.message)
        self.__dict__.update(error.extra)
        self.code = error.code
        self.message = error.message
        self.status = error.status


def _status(error: AwsError, model: Any) -> int:
    """The error's status, or the model's when the error has the default."""
    if error.status != 400:
        return error.status
    shape = model.shape_for_error_code(error.code)
    return int(shape.metadata.get("error", {}).get("httpStatusCode", 400)) if shape is not None else 400


def _response(serialized: Any, status: int, request_id: str, model: Any, protocol: str) -> HttpResponse:
    body = serialized["body"]
    headers = {name.lower(): str(value) for name, value in serialized["headers"].items()}
    if protocol == "json":  # moto says "text" where JSON is not the service's first protocol
        headers["content-type"] = _json_type(model)
    if model.service_name == "s3":
        headers["x-amz-request-id"] = request_id
    headers["x-amzn-requestid"] = request_id
    return HttpResponse(status, headers, body.encode() if isinstance(body, str) else bytes(body))


def error_code(response: HttpResponse) -> str | None:
    """AWS's error code in an answer of the state store; None for a success."""
    if response.status < 400:
        return None
    for name, value in response.headers.items():
        if name.lower() == "x-amzn-errortype":
            return value.partition(":")[0].rpartition("#")[2]
    found = _ERROR_CODE.search(response.body)
    return found[1].decode(errors="replace").rpartition("#")[2] if found else str(response.status)


_ERROR_CODE = re.compile(rb'(?:"__type"\s*:\s*"|"code"\s*:\s*"|<Code>)([^"<]+)')


def _timestamp(value: Any) -> datetime:
    from botocore.utils import parse_timestamp  # noqa: PLC0415 - heavy

    parsed: datetime = parse_timestamp(value)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@cache
def _parser_class(protocol: str) -> Any:
    from moto.core.parse import PROTOCOL_PARSERS  # noqa: PLC0415 - heavy

    wire_format.correct()
    return PROTOCOL_PARSERS[protocol]


def _multi_dict(query: str) -> Any:
    from werkzeug.datastructures import MultiDict  # noqa: PLC0415 - heavy

    return MultiDict(parse_qsl(query, keep_blank_values=True))


def _headers(headers: Mapping[str, str]) -> Any:
    from werkzeug.datastructures import Headers  # noqa: PLC0415 - heavy

    return Headers(list(headers.items()))
