"""RPC v2 CBOR, which newer SDKs use for CloudWatch: botocore's codec with the roles of client and server swapped."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ..core.errors import AwsError
from ..state.wire import HttpResponse

_HEADERS = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}


class MalformedError(ValueError):
    """The body is not CBOR."""


def parse(body: bytes, model: Any) -> dict[str, Any]:
    """An operation's parameters. Raises MalformedError."""
    if not body or model.input_shape is None:
        return {}
    try:
        decoded = _decoder().parse_data_item(io.BufferedReader(io.BytesIO(body)))
    except Exception as error:  # botocore's decoder raises a ResponseParserError and more
        raise MalformedError(f"not CBOR: {error}") from error
    params: dict[str, Any] = _known_members(decoded, model.input_shape)
    return params


def serialize(result: Mapping[str, Any], model: Any, request_id: str) -> HttpResponse:
    if model.output_shape is None:
        return HttpResponse(200, {"smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": request_id})
    body = bytearray()
    _encoder()._serialize_data_item(body, result, model.output_shape)
    return HttpResponse(200, {**_HEADERS, "x-amzn-requestid": request_id}, bytes(body))


def serialize_error(error: AwsError, model: Any, status: int, request_id: str) -> HttpResponse:
    shape = model.shape_for_error_code(error.code)
    name = shape.name if shape is not None else error.code
    body = bytearray(b"\xa2")
    for text in ("__type", name, "message", error.message):
        _encoder()._serialize_type_string(body, text, None, None)
    headers = {**_HEADERS, "x-amzn-requestid": request_id}
    if "awsQueryCompatible" in model.metadata:
        headers["x-amzn-query-error"] = f"{error.code};{'Sender' if error.sender else 'Receiver'}"
    return HttpResponse(status, headers, bytes(body))


def _known_members(value: Any, shape: Any) -> Any:
    """Decoded CBOR without unknown members, and with timestamps in UTC."""
    if shape.type_name == "structure":
        by_wire_name = {m.serialization.get("name", name): (name, m) for name, m in shape.members.items()}
        return {
            by_wire_name[key][0]: _known_members(item, by_wire_name[key][1])
            for key, item in value.items()
            if key in by_wire_name and item is not None
        }
    if shape.type_name == "list":
        return [_known_members(item, shape.member) for item in value]
    if shape.type_name == "map":
        return {key: _known_members(item, shape.value) for key, item in value.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value


@cache
def _decoder() -> Any:
    from botocore.parsers import RpcV2CBORParser  # noqa: PLC0415 - heavy

    return RpcV2CBORParser()


@cache
def _encoder() -> Any:
    from botocore.serialize import CBORSerializer  # noqa: PLC0415 - heavy

    class Encoder(CBORSerializer):  # type: ignore[misc] # botocore is untyped
        def _convert_timestamp_to_str(self, value: datetime) -> float:
            return value.timestamp()

    return Encoder()
