"""AWS's wire formats where moto's differ.

- A body that is not JSON is refused; moto reads it as a message.
- An error in XML has its message once: moto adds the modelled member `message` to `Message`.
- A fault of the service has the type Receiver.
- SQS: errors in XML have a `Detail`, and those that no model lists end in "Exception" in JSON.
"""

from __future__ import annotations

import json
from typing import Any

from ...core.errors import AwsError


def correct() -> None:
    """Idempotent."""
    from moto.core import parse, serialize  # noqa: PLC0415 - heavy: only where moto runs

    if parse.BaseJSONParser._parse_body_as_json is _json:
        return
    parse.BaseJSONParser._parse_body_as_json = _json
    for serializer in (serialize.BaseXMLSerializer, serialize.EC2Serializer, serialize.S3Serializer):
        serializer._serialize_error_metadata = _message_once(serializer._serialize_error_metadata)
    name = serialize.BaseJSONSerializer._get_protocol_specific_error_code
    serialize.BaseJSONSerializer._get_protocol_specific_error_code = _sqs_code(name)


def _json(self: Any, body: bytes) -> Any:
    return read_json(body) if body else {}


def read_json(body: bytes) -> Any:
    """Raises `AwsError` for a body that is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"The body is not JSON: {error}") from None


def _message_once(serialize: Any) -> Any:
    def serialize_error_metadata(self: Any, serialized: Any, error: Any, shape: Any) -> None:
        serialize(self, serialized, error, shape)
        if "Message" in serialized:
            serialized.pop("message", None)
        if "Type" in serialized and getattr(error, "status", 400) >= 500:
            serialized["Type"] = "Receiver"
        if self.operation_model.service_model.service_name == "sqs":
            serialized["Detail"] = ""

    return serialize_error_metadata


def _sqs_code(name: Any) -> Any:
    def get_protocol_specific_error_code(self: Any, error: Any) -> str:
        service = self.operation_model.service_model
        if service.service_name == "sqs" and error.name not in {shape.name for shape in service.error_shapes}:
            return f"com.amazon.coral.service#{error.name.removesuffix('Exception')}Exception"
        return str(name(self, error))

    return get_protocol_specific_error_code
