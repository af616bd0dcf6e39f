"""Service operations."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from ....core.controller import Call, Context
from .. import serializers
from ..errors import invalid
from ..model import Cluster, Service, ServiceRevision
from ..names import check_name
from ..rollout import deploy, new_deployment
from ..scheduler import Scheduler
from ..store import Store
from .listing import described, page
from .revisions import ServiceRevisions, refuse_not_emulated
from .service_rules import check_service, configuration_of, grace_period_of, settings_of
from .tags import parse_tags

_NEW_TASKS_FOR = (
    *("taskDefinition", "networkConfiguration", "loadBalancers", "platformVersion", "capacityProviderStrategy"),
)
"""The members of UpdateService that "trigger a new service deployment" (ECS API reference)."""


class Services:
    def __init__(self, ctx: Context, store: Store, scheduler: Scheduler) -> None:
        self._ctx = ctx
        self._store = store
        self._scheduler = scheduler
        self._revisions = ServiceRevisions(store, ctx.aws)
        self._updating = asyncio.Lock()

    async def create_service(self, call: Call) -> dict[str, Any]:
        params = call.params
        cluster = self._store.cluster(params.get("cluster"))
        name = params["serviceName"]
        check_name("Service", name)
        check_service(params, new=True)
        if earlier := self._earlier(cluster, name, params):
            return self._answer(earlier)
        revision = await self._revisions.of(cluster, params)
        if earlier := self._earlier(cluster, name, params):  # created in the meantime
            return self._answer(earlier)
        deployment = new_deployment(self._ctx.clock, self._ctx.ids, revision)
        service = Service(
            name=name,
            arn=self._store.names.arn(f"service/{cluster.name}/{name}"),
            cluster=cluster,
            created_at=self._ctx.clock.now(),
            created_by=f"arn:aws:iam::{call.account}:root",
            desired_count=params.get("desiredCount", 0),
            deployments=[deployment],
            configuration=configuration_of(params),
            grace_period=grace_period_of(params, revision),
            settings=settings_of(params),
            client_token=params.get("clientToken"),
            tags=parse_tags(params.get("tags", ()), call.caller),
        )
        self._store.add_service(service)
        self._scheduler.wake(service)
        return self._answer(service, with_tags=True)

    async def update_service(self, call: Call) -> dict[str, Any]:
        params = call.params
        check_service(params)
        refuse_not_emulated(params)
        cluster = self._store.cluster(params.get("cluster"))
        async with self._updating:  # what an update omits keeps the value of the update before it
            revision = await self._updated(self._store.service(cluster, params["service"]), params)
            service = self._store.service(cluster, params["service"])  # it may have been deleted
            configuration = configuration_of(params, service.configuration)
            service.grace_period = grace_period_of(params, revision, service.grace_period)
            service.settings = settings_of(params, service.settings)
            service.configuration = configuration
            if params.get("desiredCount", service.desired_count) != service.desired_count:
                service.desired_count = params["desiredCount"]
                service.primary.updated_at = self._ctx.clock.now()
            if params.get("forceNewDeployment") or revision != service.primary.revision:
                deploy(service, new_deployment(self._ctx.clock, self._ctx.ids, revision))
        self._scheduler.wake(service)
        return self._answer(service)

    async def delete_service(self, call: Call) -> dict[str, Any]:
        cluster = self._store.cluster(call.params.get("cluster"))
        service = self._store.find_service(cluster, call.params["service"])
        if service is None or service.status != "DRAINING":  # deleting a draining service is idempotent
            service = self._store.service(cluster, call.params["service"])
            if service.desired_count > 0 and not call.params.get("force"):
                raise invalid("The service cannot be stopped while it is scaled above 0.")
            service.status = "DRAINING"
            service.desired_count = 0
            self._scheduler.wake(service)
        return self._answer(service)

    async def describe_services(self, call: Call) -> dict[str, Any]:
        cluster = self._store.cluster(call.params.get("cluster"))
        with_tags = "TAGS" in call.params.get("include", ())
        services, failures = [], []
        for identifier in described(call.params, "services", most=10):
            service = self._store.find_service(cluster, identifier)
            if service is not None:
                services.append(serializers.service(service, self._store.tasks_of(service), with_tags=with_tags))
            else:
                name = self._store.names.service_name(identifier, cluster.name)
                failures.append(serializers.missing(self._store.names.arn(f"service/{cluster.name}/{name}")))
        return {"services": services, "failures": failures}

    async def list_services(self, call: Call) -> dict[str, Any]:
        params = call.params
        cluster = self._store.cluster(params.get("cluster"))
        launch_type, strategy = params.get("launchType"), params.get("schedulingStrategy")
        arns = sorted(
            each.arn
            for each in self._store.services(cluster)
            if launch_type in (None, each.primary.revision.launch_type)
            and strategy in (None, each.settings["schedulingStrategy"])
        )
        return page(arns, params, "serviceArns", default=10)

    async def _updated(self, service: Service, params: Mapping[str, Any]) -> ServiceRevision:
        """The service's revision with the requested changes."""
        now = service.primary.revision
        if not params.get("forceNewDeployment") and not any(name in params for name in _NEW_TASKS_FOR):
            return now
        wanted: dict[str, Any] = {
            "taskDefinition": now.definition.arn,
            "networkConfiguration": now.network,
            "loadBalancers": now.load_balancers,
            "platformVersion": now.platform_version,
            "capacityProviderStrategy": now.capacity_providers,
            **{name: params[name] for name in _NEW_TASKS_FOR if name in params},
        }
        if not wanted["capacityProviderStrategy"]:
            wanted["launchType"] = now.launch_type
        return await self._revisions.of(service.cluster, wanted)

    def _earlier(self, cluster: Cluster, name: str, params: Mapping[str, Any]) -> Service | None:
        """The service that the same request created earlier. Raises when another service has the name."""
        existing = self._store.find_service(cluster, name)
        if existing is None or existing.status == "INACTIVE":
            return None
        if existing.status == "DRAINING":
            raise invalid("Unable to Start a service that is still Draining.")
        if existing.client_token is None or existing.client_token != params.get("clientToken"):
            raise invalid("Creation of service was not idempotent.")
        return existing

    def _answer(self, service: Service, *, with_tags: bool = False) -> dict[str, Any]:
        return {"service": serializers.service(service, self._store.tasks_of(service), with_tags=with_tags)}
