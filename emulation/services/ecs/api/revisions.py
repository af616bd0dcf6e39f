"""Validates what a service or task shall run, and builds its `ServiceRevision`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ....core.controller import Aws
from ....core.errors import AwsError
from ..errors import invalid, not_emulated
from ..model import Cluster, ServiceRevision
from ..store import Store
from .network import check_load_balancers, check_network

_LAUNCH_TYPES = ("EC2", "FARGATE", "EXTERNAL")
_PLATFORM_VERSIONS = ("LATEST", "1.4.0", "1.3.0")
_EXEC_PLATFORMS = ("LATEST", "1.4.0")
_NOT_EMULATED = (
    *("serviceConnectConfiguration", "serviceRegistries", "volumeConfigurations", "vpcLatticeConfigurations"),
    *("gatewayConnectors", "monitoring", "resourceRequirements"),
)


@dataclass(frozen=True)
class ServiceRevisions:
    store: Store
    aws: Aws

    async def of(self, cluster: Cluster, params: Mapping[str, Any]) -> ServiceRevision:
        """From the members that CreateService, UpdateService and RunTask share. Raises `AwsError`."""
        refuse_not_emulated(params)
        if not params.get("taskDefinition"):
            raise invalid("TaskDefinition can not be blank.")
        definition = self.store.usable_definition(params["taskDefinition"])
        launch_type, providers = _launch(cluster, params)
        if launch_type not in definition.compatibilities:
            raise invalid(f"Task definition does not support launch_type {launch_type}.")
        version = _platform_version(launch_type, params)
        network = params.get("networkConfiguration")
        zones = await check_network(self.aws, definition, network)
        load_balancers = tuple(params.get("loadBalancers", ()))
        await check_load_balancers(self.aws, definition, load_balancers)
        return ServiceRevision(
            definition=definition,
            launch_type=None if providers else launch_type,
            capacity_providers=providers,
            platform_version=version,
            network=_with_defaults(network),
            zones=zones,
            load_balancers=load_balancers,
        )


def refuse_not_emulated(params: Mapping[str, Any]) -> None:
    for name in _NOT_EMULATED:
        if params.get(name):
            raise not_emulated(name)


def _launch(cluster: Cluster, params: Mapping[str, Any]) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """The launch type, and the capacity provider strategy that implies it, if any."""
    launch_type, strategy = params.get("launchType"), params.get("capacityProviderStrategy")
    if launch_type and strategy:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if launch_type:
        if launch_type not in _LAUNCH_TYPES:
            raise invalid(f"launchType must be one of {', '.join(_LAUNCH_TYPES)}.")
        return launch_type, ()
    strategy = strategy or cluster.default_strategy
    check_strategy(strategy, cluster.capacity_providers)
    return ("FARGATE", tuple(strategy)) if strategy else ("EC2", ())


def check_strategy(strategy: Iterable[Mapping[str, Any]], providers: Collection[str]) -> None:
    """Raises InvalidParameterException for a capacity provider that is not among the cluster's `providers`."""
    if any(each["capacityProvider"] not in providers for each in strategy):
        raise invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with "
            "the cluster. Associate the capacity provider with the cluster and try again."
        )


def _platform_version(launch_type: str, params: Mapping[str, Any]) -> str:
    version: str = params.get("platformVersion") or "LATEST"
    if launch_type == "FARGATE" and version not in _PLATFORM_VERSIONS:
        raise AwsError("PlatformUnknownException", "The specified platform version does not exist.")
    if params.get("enableExecuteCommand") and version not in _EXEC_PLATFORMS:
        raise invalid(f"Execute command is not supported on platform version {version}. It needs 1.4.0 or later.")
    return version


def _with_defaults(network: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if network is None:
        return None
    defaults = {"securityGroups": [], "assignPublicIp": "DISABLED"}
    return {"awsvpcConfiguration": {**defaults, **network["awsvpcConfiguration"]}}
