"""Identifies a request: service, operation, protocol, region and access key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from ..core.errors import AwsError
from ..state.models import service_model
from ..state.wire import HttpRequest
from ..state.wsgi import environ
from .limits import decompressed
from .s3 import addresses_a_bucket, path_style
from .services import service_name, service_of_unsigned
from .signature import Signature, signature_of

CBOR = "smithy-rpc-v2-cbor"


@dataclass(frozen=True, slots=True)
class Identity:
    service: str
    """botocore's service name."""
    operation: str
    """Empty when the service has no operation for this request."""
    protocol: str
    """The client's wire protocol, by botocore's name."""
    region: str
    signature: Signature | None
    """None for an unsigned request."""
    request: HttpRequest
    """The request, with S3's virtual hosts turned into path style."""
    uri_params: Mapping[str, Any] = field(default_factory=dict)
    """The labels of a REST path."""


def identify(request: HttpRequest, default_region: str) -> Identity:
    """Identify a request. Raises `AwsError` when its service is unknown."""
    signature = signature_of(request)
    if signature is None or signature.signing_name != "s3":
        request = decompressed(request)  # S3 stores a gzipped object as it is
    if signature is not None:
        service, region = service_name(signature.signing_name, request), signature.region or default_region
    else:
        service, region = _unsigned(request), default_region
    target = request.headers.get("x-amz-target")
    if target is not None:
        return Identity(service, target.rpartition(".")[2], "json", region, signature, request)
    if "smithy-protocol" in request.headers:
        return Identity(service, request.path.rpartition("/")[2], CBOR, region, signature, request)
    if service == "s3":
        request = path_style(request)
    model = service_model(service)
    if model.protocol in ("rest-json", "rest-xml"):
        operation, uri_params = _match(service, request)
        return Identity(service, operation, model.protocol, region, signature, request, uri_params)
    protocol = "ec2" if model.protocol == "ec2" else "query"
    return Identity(service, _action(request), protocol, region, signature, _as_form(request))


def _as_form(request: HttpRequest) -> HttpRequest:
    """A query in the URL as the form that SDKs send: services with two protocols go by the content type."""
    if request.body or "Action=" not in request.query:
        return request
    headers = {**request.headers, "content-type": "application/x-www-form-urlencoded"}
    return replace(request, method="POST", query="", headers=headers, body=request.query.encode())


def _unsigned(request: HttpRequest) -> str:
    service = service_of_unsigned(request)
    if service is not None:
        return service
    action = _action(request)
    if action in ("ConfirmSubscription", "Unsubscribe"):
        return "sns"
    if action.startswith("AssumeRoleWith"):
        return "sts"
    if not action and (request.path != "/" or addresses_a_bucket(request.headers.get("host", ""))):
        return "s3"  # public objects are read unsigned
    raise AwsError(
        "MissingAuthenticationToken",
        f"{request.method} {request.path} carries no signature, so the AWS service it is meant for is unknown. "
        "Use an SDK or the AWS CLI with this address as AWS_ENDPOINT_URL and any access key.",
        status=403,
    )


def _action(request: HttpRequest) -> str:
    """The query protocol's `Action`, from the body or the query string; empty when there is none."""
    body = request.body
    if body.startswith(b"Action="):
        return body[7:].partition(b"&")[0].decode(errors="replace")
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        action = dict(parse_qsl(body.decode(errors="replace"))).get("Action")
        if action:
            return action
    return dict(parse_qsl(request.query)).get("Action", "")


def _match(service: str, request: HttpRequest) -> tuple[str, Mapping[str, Any]]:
    """The operation of a REST service by method and path, and the labels of the path."""
    from moto.core.request import Request  # noqa: PLC0415 - heavy
    from moto.core.routing import get_service_router  # noqa: PLC0415
    from werkzeug.exceptions import HTTPException  # noqa: PLC0415

    try:
        operation, uri_params = get_service_router(service).match(Request(environ(request)))
    except (HTTPException, NotImplementedError):
        return "", {}
    return operation.name, uri_params
