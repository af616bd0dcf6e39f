"""Maps the operations of an AWS service to the methods that answer them."""

from __future__ import annotations

from collections.abc import Collection
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


def all_handlers(service: str, *apis: object, base: Collection[str] = ()) -> dict[Operation, Handler]:
    """As `handlers`; all other operations but those in `base` are refused as not emulated."""
    refusals: dict[Operation, Handler] = {
        (service, operation): refuse for operation in service_model(service).operation_names if operation not in base
    }
    return refusals | handlers(service, *apis)


async def refuse(call: Call) -> dict[str, Any]:
    """Answers an operation that is not emulated."""
    raise not_emulated(call.service, call.operation)
