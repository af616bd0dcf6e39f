"""Probes which services an endpoint has: one cheap read-only call for each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import AwsError
from .endpoint import Endpoint, EndpointUnreachable, NotAvailable
from .models import service_model

PATIENCE = 20.0
"""Wall seconds for an answer. LocalStack imports a service at its first call."""
FAILING_FOR = 30.0
"""Wall seconds for which an endpoint without an answer, or with a server error, is asked again."""
_PAUSE = 0.5
PROBES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "cloudwatch": ("ListDashboards", {}),
    "dynamodb": ("ListTables", {"Limit": 1}),
    "dynamodbstreams": ("ListStreams", {"Limit": 1}),
    "ec2": ("DescribeVpcs", {}),
    "efs": ("DescribeFileSystems", {"MaxItems": 1}),
    "elbv2": ("DescribeLoadBalancers", {"PageSize": 1}),
    # The managed policies that a stack's roles need; moto's server loads them only on request.
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


class CredentialsRefused(ValueError):
    """The endpoint refuses the credentials."""


class EndpointFailing(EndpointUnreachable):
    """The endpoint does not answer, or only with server errors, so its services are unknown."""


async def lacks(endpoint: Endpoint, service: str, region: str) -> str | None:
    """Why the endpoint lacks a service; None when it has it. Raises `CredentialsRefused`, and `EndpointFailing` when
    there is no clear answer within `FAILING_FOR`: an endpoint that fails now may still hold state of before."""
    operation, params = PROBES.get(service) or _read_only(service)
    if not operation:
        return "no read-only call can probe it"
    loop = asyncio.get_running_loop()
    began, asked = loop.time(), 0
    while True:
        try:
            asked += 1
            return await _lacks(endpoint, service, region, operation, params)
        except _NoAnswer as error:
            since = loop.time() - began
            if since >= FAILING_FOR:
                raise EndpointFailing(
                    f"the base {endpoint.url} is failing: asked {asked} times in {since:.0f} s whether it has "
                    f"{service}, last seen: {error}. next: look at its log and restart it, or leave {service} to the "
                    "embedded base: list the services to take from the base as base_services below [emulated] in "
                    "kit.toml"
                ) from error
        await asyncio.sleep(_PAUSE)


class _NoAnswer(Exception):
    """Neither yes nor no."""


async def _lacks(
    endpoint: Endpoint, service: str, region: str, operation: str, params: Mapping[str, Any]
) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await endpoint.call(service, operation, region, params)
    except TimeoutError as error:
        raise _NoAnswer(f"no answer to {operation} within {PATIENCE:g} s") from error
    except NotAvailable as error:
        return _short(str(error.extra.get("said", ""))) or f"it does not have {operation}"
    except AwsError as error:
        if error.code in _REFUSALS:
            raise CredentialsRefused(
                f"the base {endpoint.url} refuses its credentials ({error}). next: set BASE_AWS_ACCESS_KEY_ID and "
                "BASE_AWS_SECRET_ACCESS_KEY in the environment"
            ) from error
        if error.status >= 500 or error.status == 429:
            raise _NoAnswer(_short(str(error))) from error
        return _short(str(error))
    return None


async def survey(endpoint: Endpoint, services: Sequence[str], region: str) -> dict[str, str | None]:
    """`lacks` of every service, concurrently. Raises its errors once all have answered."""
    asked = (lacks(endpoint, service, region) for service in services)
    answers: dict[str, str | None] = {}
    for service, answer in zip(services, await asyncio.gather(*asked, return_exceptions=True), strict=True):
        if isinstance(answer, BaseException):
            raise answer
        answers[service] = answer
    return answers


def _read_only(service: str) -> tuple[str, Mapping[str, Any]]:
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
