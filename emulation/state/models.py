"""botocore's service models, cached: the source of all names, shapes and protocols."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from ..core.errors import AwsError
from .constraints import violations

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel


@cache
def service_model(service: str) -> ServiceModel:
    """The model of a service by botocore's name. Raises `AwsError` for an unknown name."""
    from botocore.exceptions import UnknownServiceError  # noqa: PLC0415 - heavy: only where it is needed
    from moto.core.utils import get_service_model  # noqa: PLC0415

    try:
        return get_service_model(service)
    except UnknownServiceError as error:
        raise AwsError(
            "UnknownService", f"botocore knows no service named {service!r}; names are those of boto3.client(name)."
        ) from error


@cache
def is_service(name: str) -> bool:
    """Whether botocore has a service of this name."""
    try:
        service_model(name)
    except AwsError:
        return False
    return True


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The model of one operation. Raises `AwsError` for an unknown name."""
    from botocore.model import OperationNotFoundError  # noqa: PLC0415 - heavy

    try:
        return service_model(service).operation_model(operation)
    except (OperationNotFoundError, KeyError) as error:
        raise AwsError("UnknownOperationException", f"{service} has no operation named {operation!r}.") from error


def validate(service: str, operation: str, params: Any) -> None:
    """Raise `AwsError` for parameters that botocore's model does not allow, with the code of the service's protocol and
    a message that names every wrong parameter."""
    from botocore.validate import ParamValidator  # noqa: PLC0415

    model = operation_model(service, operation)
    if model.input_shape is None:
        if params:
            raise AwsError(
                _validation_code(service), f"{service}:{operation} takes no parameters, got {sorted(params)}."
            )
        return
    report = ParamValidator().validate(params, model.input_shape)
    if report.has_errors():
        raise AwsError(_validation_code(service), f"{service}:{operation}: {report.generate_report()}")
    if outside := violations(service, params, model.input_shape):
        raise AwsError(_validation_code(service), outside)


def too_deep(service: str, operation: str) -> AwsError:
    """The error for a document in a parameter, such as a policy, that Python's stack cannot hold."""
    return AwsError(
        _validation_code(service), f"{service}:{operation}: a document in its parameters is nested too deep."
    )


_VALIDATION_CODES = {
    "ecs": "InvalidParameterException",
    "cloudwatch": "ValidationError",
    "s3": "InvalidRequest",
    "logs": "InvalidParameterException",
}


def _validation_code(service: str) -> str:
    if service in _VALIDATION_CODES:
        return _VALIDATION_CODES[service]
    return "ValidationError" if service_model(service).protocol in ("query", "ec2") else "ValidationException"
