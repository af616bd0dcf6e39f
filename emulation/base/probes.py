"""What a base has, found out by asking it: one cheap question for each service, which changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from emulation.base.endpoint import Endpoint, NotHad
from emulation.base.models import service_model
from emulation.errors import AwsError

PATIENCE = 20.0
"""Wall seconds for an answer. LocalStack imports a service when it is first asked for."""
QUESTIONS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "cloudwatch": ("ListDashboards", {}),
    "dynamodb": ("ListTables", {"Limit": 1}),
    "dynamodbstreams": ("ListStreams", {"Limit": 1}),
    "ec2": ("DescribeVpcs", {}),
    "efs": ("DescribeFileSystems", {"MaxItems": 1}),
    "elbv2": ("DescribeLoadBalancers", {"PageSize": 1}),
    # AWS's own policies are what a stack's roles need; moto's server has them only if it is told to load them.
    "iam": ("GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"}),
    "logs": ("DescribeLogGroups", {"limit": 1}),
    "s3": ("ListBuckets", {}),
    "ses": ("ListConfigurationSets", {}),
    "sns": ("ListTopics", {}),
    "sqs": ("ListQueues", {}),
}
_REFUSALS = frozenset(
    {"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "InvalidAccessKeyId",
     "IncompleteSignature", "InvalidSignatureException", "AuthFailure"}
)  # fmt: skip


class Refused(ValueError):
    """The base does not take the credentials."""


async def lacks(endpoint: Endpoint, service: str, region: str) -> str | None:
    """Why the endpoint does not have a service; None when it has. Raises `Refused`."""
    operation, params = QUESTIONS.get(service) or _harmless(service)
    if not operation:
        return "there is no question that would tell without changing something"
    try:
        async with asyncio.timeout(PATIENCE):
            await endpoint.call(service, operation, region, params)
    except TimeoutError:
        return f"it did not answer {operation} within {PATIENCE:g} s"
    except NotHad as error:
        return _short(str(error.extra.get("said", ""))) or f"it does not have {operation}"
    except AwsError as error:
        if error.code in _REFUSALS:
            raise Refused(
                f"the base {endpoint.url} refuses its credentials ({error}). next: set BASE_AWS_ACCESS_KEY_ID and "
                "BASE_AWS_SECRET_ACCESS_KEY in the environment"
            ) from error
        return _short(str(error))
    return None


async def survey(endpoint: Endpoint, services: Sequence[str], region: str) -> dict[str, str | None]:
    """`lacks` of every service, all asked at once."""
    told = await asyncio.gather(*(lacks(endpoint, service, region) for service in services))
    return dict(zip(services, told, strict=True))


def _harmless(service: str) -> tuple[str, Mapping[str, Any]]:
    """An operation that reads and needs no parameters; "" when the service has none."""
    model = service_model(service)
    for prefix in ("List", "Describe", "Get"):
        for name in model.operation_names:
            shape = model.operation_model(name).input_shape
            if name.startswith(prefix) and (shape is None or not shape.required_members):
                return name, {}
    return "", {}


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}…"
