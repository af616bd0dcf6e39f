"""Maps the operations of an AWS service to the methods that answer them."""

from __future__ import annotations

from typing import Any

from ..core.controller import Call, Handler, Operation
from ..core.errors import not_emulated
from .models import service_model


def handlers(service: str, *apis: object) -> dict[Operation, Handler]:
    """The operations `apis` have a method for, named as in boto3: `put_metric_data` answers PutMetricData."""
    from botocore import xform_name  # noqa: PLC0415 - heavy

    return {
        (service, operation): method
        for operation in service_model(service).operation_names
        for api in apis
        if (method := getattr(api, xform_name(operation), None)) is not None
    }


def all_handlers(service: str, *apis: object) -> dict[Operation, Handler]:
    """As `handlers`; every other operation of the service is refused as not emulated."""
    refusals: dict[Operation, Handler] = {
        (service, operation): refuse for operation in service_model(service).operation_names
    }
    return refusals | handlers(service, *apis)


async def refuse(call: Call) -> dict[str, Any]:
    """Answers an operation that is not emulated."""
    raise not_emulated(call.service, call.operation)
