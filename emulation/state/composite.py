"""Combines an endpoint, for the services that it has, with the embedded store for the others.

Each service is probed once: at the start if the stack uses it, otherwise at its first call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

from ..core.errors import AwsError
from .embedded import STACK_SERVICES, MotoStore
from .endpoint import Endpoint, EndpointUnreachable
from .probes import EndpointFailing, lacks, survey
from .wire import HttpRequest, HttpResponse

SERVICE_GROUPS = (("sqs", "sns", "s3"), ("dynamodb", "dynamodbstreams"), ("ec2", "elbv2", "efs"))
"""Services that use each other's resources: they come from the same store."""

CONTROLLER_SERVICES = frozenset(
    {"application-autoscaling", "cloudformation", "ecs", "fis", "pricing", "resourcegroupstaggingapi", "service-quotas",
     "sesv2", "sts"}
)  # fmt: skip
"""Services whose resources the controllers hold: another store does not have them."""


class EndpointHost(Protocol):
    """Runs an endpoint, for example in a container."""

    async def start(self) -> str:
        """Returns the endpoint's URL once it answers."""

    async def stop(self) -> None: ...


class CompositeStore:
    """A `StateStore`. `near` is the embedded one, the endpoint the far one."""

    def __init__(
        self,
        near: MotoStore,
        far: Callable[[str], Endpoint],
        endpoint_host: EndpointHost,
        *,
        name: str,
        region: str,
        only: Collection[str] = (),
    ) -> None:
        """`far` makes the endpoint of a URL. `only`: services to take from it; empty takes all it has."""
        self.near = near
        self.name = name
        self._far_of = far
        self._endpoint_host = endpoint_host
        self._region = region
        self._only = frozenset(only)
        self._far: Endpoint | None = None
        self._asked: dict[str, asyncio.Task[str | None]] = {}
        self.lacking: dict[str, str] = {}
        """Service → why the embedded store serves it."""
        self.serving: set[str] = set()
        self._unwanted = set(CONTROLLER_SERVICES)
        self._log = logging.getLogger("emulation.state")

    async def start(self) -> None:
        """Raises what the host raises, `EndpointUnreachable`, `EndpointFailing` and `CredentialsRefused`."""
        # In sequence: both import the same packages, and two threads would see them half imported.
        await self.near.start()
        self._far = self._far_of(await self._endpoint_host.start())
        await self._far.start()
        wanted = [service for service in _surveyed() if not self._only or service in self._only]
        answers = await survey(self._far, wanted, self._region)
        self._decide(answers)
        if not self.serving:
            service, why = next(iter(answers.items()))
            raise EndpointUnreachable(
                f"what answers at {self._far.url} has none of {', '.join(answers)}: asked for {service}, {why}. next: "
                'name an AWS-compatible endpoint, or take the embedded base: base = "moto"'
            )

    def warm(self) -> None:
        self.near.warm()

    def passes_on(self, service: str) -> bool:
        return service == "s3" or self._is_near(service)

    async def forward(self, service: str, operation: str, request: HttpRequest, request_id: str) -> HttpResponse:
        return await (await self._base(service)).forward(service, operation, request, request_id)

    async def call(self, service: str, operation: str, region: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return await (await self._base(service)).call(service, operation, region, params)

    async def stop(self) -> None:
        for task in self._asked.values():
            task.cancel()
        async with asyncio.TaskGroup() as group:
            for part in filter(None, (self._far, self._endpoint_host, self.near)):
                group.create_task(self._stop_quietly(part))

    def facts(self) -> dict[str, Any]:
        assert self._far is not None
        return {
            "name": self.name,
            "endpoint": self._far.url,
            "account": self._far.account,
            "serves": sorted(self.serving),
            "embedded": dict(sorted(self.lacking.items())),
        }

    async def _base(self, service: str) -> Endpoint | MotoStore:
        assert self._far is not None
        if service not in self.serving and not self._is_near(service):
            await self._ask(service)
        return self._far if service in self.serving else self.near

    async def _ask(self, service: str) -> None:
        """Probe a service at its first call."""
        assert self._far is not None
        if self._only and service not in self._only:
            self._unwanted.add(service)
            return
        if service not in self._asked:
            self._asked[service] = asyncio.get_running_loop().create_task(lacks(self._far, service, self._region))
        try:
            why = await asyncio.shield(self._asked[service])
        except EndpointFailing as error:
            self._asked.pop(service, None)  # it may have recovered by the next call
            raise AwsError("ServiceUnavailable", str(error), status=503) from error
        if service in self.serving or self._is_near(service):
            return
        self._decide({service: why})
        self._log.info("%s comes from %s", service, f"the embedded base: {why}" if why else self.name)

    def _is_near(self, service: str) -> bool:
        return service in self.lacking or service in self._unwanted

    def _decide(self, answers: Mapping[str, str | None]) -> None:
        """Assign services to stores, groups as a whole."""
        whys = dict(answers)
        for group in SERVICE_GROUPS:
            missing = next((service for service in group if whys.get(service)), None)
            for service in group:
                if missing is not None and service in whys and whys[service] is None:
                    whys[service] = f"it works together with {missing}, which the base does not have"
        for service, why in whys.items():
            if why is None:
                self.serving.add(service)
            else:
                self.lacking[service] = why

    async def _stop_quietly(self, part: Any) -> None:
        stop: Callable[[], Awaitable[None]] = part.stop
        try:
            await stop()
        except Exception:
            self._log.exception("%s did not stop cleanly", type(part).__name__)


def _surveyed() -> list[str]:
    groups = (service for group in SERVICE_GROUPS for service in group)
    return [service for service in dict.fromkeys((*STACK_SERVICES, *groups)) if service not in CONTROLLER_SERVICES]
