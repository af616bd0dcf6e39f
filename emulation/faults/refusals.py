"""The errors of throttled or failing AWS services: code, message, status and members."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.errors import AwsError
from ..gateway.intercept import InterceptedCall
from ..state.models import service_model

_THROTTLED: Mapping[str, tuple[str, str, int]] = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "ses": ("Throttling", "Maximum sending rate exceeded.", 400),
    "sesv2": ("TooManyRequestsException", "Maximum sending rate exceeded.", 429),
    "sqs": ("RequestThrottled", "Request is throttled.", 403),
    "cloudwatch": ("Throttling", "Rate exceeded", 400),
    "efs": ("ThrottlingException", "Rate exceeded", 429),
}
"""Code, message and status of services that differ from others with their protocol. Source: the Errors section of
each API reference."""
_BY_PROTOCOL: Mapping[str, tuple[str, str, int]] = {
    "query": ("Throttling", "Rate exceeded", 400),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "rest-json": ("ThrottlingException", "Rate exceeded", 429),
    "rest-xml": ("Throttling", "Rate exceeded", 400),
}
_OTHER = ("ThrottlingException", "Rate exceeded", 400)

_CAPACITY = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "ExecuteStatement"})
_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})

_FAILED: Mapping[tuple[str, int], tuple[str, str]] = {
    ("dynamodb", 500): ("InternalServerError", "The request processing has failed because of an unknown error."),
    ("s3", 500): ("InternalError", "We encountered an internal error. Please try again."),
    ("sns", 500): ("InternalError", "An internal error has occurred."),
    ("ecs", 500): ("ServerException", "Service Unavailable. Please try again later."),
    ("s3", 503): ("ServiceUnavailable", "Service is unable to handle request."),
}
_FAILED_OTHERWISE = {
    500: ("InternalFailure", "The request processing has failed because of an unknown error, exception or failure."),
    503: ("ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
}


def throttled(call: InterceptedCall, account: str, code: str | None = None) -> AwsError:
    """The service's throttling error. A given `code` is used unchanged, with status 400."""
    if code is not None:
        return AwsError(code, "Rate exceeded")
    if call.service == "dynamodb" and call.operation in _READS | _WRITES:
        return AwsError("ProvisionedThroughputExceededException", _CAPACITY, ThrottlingReasons=_reasons(call, account))
    protocol = str(service_model(call.service).protocol)
    wanted, message, status = _THROTTLED.get(call.service) or _BY_PROTOCOL.get(protocol) or _OTHER
    return AwsError(wanted, message, status=status)


def failed(call: InterceptedCall, status: int, code: str | None = None) -> AwsError:
    """The service's error for this HTTP status."""
    usual, message = _FAILED.get((call.service, status)) or _FAILED_OTHERWISE.get(status) or _FAILED_OTHERWISE[500]
    return AwsError(code or usual, message, status=status)


def _reasons(call: InterceptedCall, account: str) -> list[dict[str, str]]:
    """The ThrottlingReasons member, in DynamoDB since 2025: the limit and the table or index."""
    params = call.read()
    direction = "Write" if call.operation in _WRITES else "Read"
    index = params.get("IndexName")
    what = "Index" if index else "Table"
    return [
        {
            "reason": f"{what}{direction}ProvisionedThroughputExceeded",
            "resource": f"arn:aws:dynamodb:{call.region}:{account}:table/{table}"
            + (f"/index/{index}" if index else ""),
        }
        for table in _tables(params)
    ]


def _tables(params: Mapping[str, Any]) -> list[str]:
    if "TableName" in params:
        return [str(params["TableName"]).rpartition("/")[2]]
    if "RequestItems" in params:
        return list(params["RequestItems"])
    items = params.get("TransactItems", ())
    return sorted({str(action["TableName"]) for item in items for action in item.values()})
