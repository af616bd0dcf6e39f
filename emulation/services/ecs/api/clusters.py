"""Cluster operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....core.controller import Call
from ....core.errors import AwsError
from .. import serializers
from ..errors import invalid, not_emulated
from ..model import Cluster
from ..names import check_name
from ..store import Store
from .listing import page
from .revisions import check_strategy
from .tags import parse_tags

FARGATE_PROVIDERS = frozenset({"FARGATE", "FARGATE_SPOT"})


@dataclass(frozen=True)
class Clusters:
    store: Store

    async def create_cluster(self, call: Call) -> dict[str, Any]:
        params = call.params
        name = params.get("clusterName") or "default"
        check_name("Cluster", name)
        _refuse_service_connect(params)
        existing = self.store.find_cluster(name)
        if existing is None or existing.status != "ACTIVE":
            providers = list(params.get("capacityProviders", ()))
            strategy = list(params.get("defaultCapacityProviderStrategy", ()))
            _check_providers(strategy, providers)
            existing = Cluster(
                name=name,
                arn=self.store.names.arn(f"cluster/{name}"),
                configuration=params.get("configuration"),
                capacity_providers=providers,
                default_strategy=strategy,
                tags=parse_tags(params.get("tags", ()), call.caller),
            )
            if settings := params.get("settings"):
                existing.settings = list(settings)
            self.store.clusters[name] = existing
        return self._answer(existing)

    async def update_cluster(self, call: Call) -> dict[str, Any]:
        cluster = self.store.cluster(call.params["cluster"])
        _refuse_service_connect(call.params)
        if settings := call.params.get("settings"):
            cluster.settings = list(settings)
        if configuration := call.params.get("configuration"):
            cluster.configuration = configuration
        return self._answer(cluster)

    update_cluster_settings = update_cluster

    async def put_cluster_capacity_providers(self, call: Call) -> dict[str, Any]:
        cluster = self.store.cluster(call.params["cluster"])
        providers = list(call.params["capacityProviders"])
        strategy = list(call.params["defaultCapacityProviderStrategy"])
        _check_providers(strategy, providers)
        cluster.capacity_providers, cluster.default_strategy = providers, strategy
        return self._answer(cluster)

    async def delete_cluster(self, call: Call) -> dict[str, Any]:
        cluster = self.store.cluster(call.params["cluster"])
        if self.store.services(cluster):
            raise AwsError(
                "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
            )
        if any(task.last_status != "STOPPED" for task in self.store.tasks(cluster)):
            raise AwsError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
        cluster.status = "INACTIVE"
        return self._answer(cluster)

    async def describe_clusters(self, call: Call) -> dict[str, Any]:
        include = frozenset(call.params.get("include", ()))
        clusters, failures = [], []
        for identifier in call.params.get("clusters") or ["default"]:
            name = self.store.names.cluster_name(identifier)
            found = self.store.clusters.get(name)
            if found is None:
                failures.append(serializers.missing(self.store.names.arn(f"cluster/{name}")))
            else:
                clusters.append(serializers.cluster(found, self.store, include))
        return {"clusters": clusters, "failures": failures}

    async def list_clusters(self, call: Call) -> dict[str, Any]:
        arns = sorted(each.arn for each in self.store.clusters.values() if each.status == "ACTIVE")
        return page(arns, call.params, "clusterArns")

    async def list_container_instances(self, call: Call) -> dict[str, Any]:
        self.store.cluster(call.params.get("cluster"))
        return {"containerInstanceArns": []}

    def _answer(self, cluster: Cluster) -> dict[str, Any]:
        return {"cluster": serializers.cluster(cluster, self.store, _EVERYTHING)}


_EVERYTHING = frozenset({"TAGS", "SETTINGS", "CONFIGURATIONS"})


def _check_providers(strategy: list[Mapping[str, Any]], providers: list[str]) -> None:
    for provider in providers:
        if provider not in FARGATE_PROVIDERS:
            raise invalid(f"The specified capacity provider was not found: {provider}. Known: FARGATE, FARGATE_SPOT.")
    check_strategy(strategy, providers)


def _refuse_service_connect(params: Mapping[str, Any]) -> None:
    if params.get("serviceConnectDefaults"):
        raise not_emulated("serviceConnectDefaults")
