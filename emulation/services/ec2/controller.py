"""Enforces security groups and network disruptions between load balancers, tasks and AWS.

    ec2, elbv2, ecs changes --> Topology, interfaces --> for each task:
        load balancer -> task   links (new connections)
        task -> AWS             gateway (new calls; a disruption also breaks off those under way)

Security groups are stateful: revoking a rule leaves open connections alone, as on AWS. A disruption acts like a
network ACL, which is stateless. Traffic from clients to the load balancer and between tasks is never blocked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ...core.background_tasks import BackgroundTasks
from ...core.controller import Call, Context, Handler, Operation, TaskChanged, Watcher
from ...core.errors import AwsError
from ...gateway.intercept import InterceptedCall, Interceptor
from ..controller_base import ControllerBase
from ..ecs.agent_faults import Blackhole, BlackholeChanged
from ..ecs.network_interfaces import NetworkInterface
from ..elbv2.links import Address, Links
from .interfaces import InterfaceApi
from .rules import AWS_PORT, Port, reaches, reaches_internet
from .topology import Balancer, Subnet, Topology, read_topology

_BY = "network"
_EC2_CHANGES = (
    "AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress RevokeSecurityGroupIngress RevokeSecurityGroupEgress "
    "ModifySecurityGroupRules CreateSecurityGroup DeleteSecurityGroup CreateSubnet DeleteSubnet CreateVpc DeleteVpc"
)
_ELBV2_CHANGES = (
    "CreateLoadBalancer DeleteLoadBalancer SetSecurityGroups SetSubnets CreateListener ModifyListener DeleteListener "
    "CreateRule ModifyRule DeleteRule"
)
_TOPOLOGY_CHANGES: tuple[Operation, ...] = (
    *(("ec2", name) for name in _EC2_CHANGES.split()),
    *(("elbv2", name) for name in _ELBV2_CHANGES.split()),
)


class Traffic(Protocol):
    """The part of the gateway that the network controls."""

    network: list[Interceptor]

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int: ...


class Tasks(Protocol):
    def interfaces(self) -> Iterable[NetworkInterface]: ...


@dataclass(eq=False)
class Disruption:
    """Blocks traffic of `scope` to and from subnets."""

    subnets: frozenset[str]
    scope: str
    """`all` (but for traffic within a subnet), or a service such as `dynamodb`, `s3`."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def blocks(self, service: str) -> bool:
        return self.scope in ("all", service)


class Network(ControllerBase):
    """A `Controller`; `disrupt` injects faults."""

    def __init__(self, ctx: Context, traffic: Traffic, links: Links, tasks: Tasks) -> None:
        self._ctx = ctx
        self._traffic = traffic
        self._links = links
        self._tasks = tasks
        self._topology = Topology()
        self._stale = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._background = BackgroundTasks(ctx.log)
        self._cut: set[Address] = set()
        self._isolated: dict[str, asyncio.Event] = {}
        """Tasks that cannot reach AWS until their event is set."""
        self._disruptions: list[Disruption] = []
        self._blackholes: set[Blackhole] = set()
        self._default_groups: set[str] = set()
        self._interface_api = InterfaceApi(ctx, tasks.interfaces, lambda: self._topology)

    def handlers(self) -> Mapping[Operation, Handler]:
        return self._interface_api.handlers()

    def watchers(self) -> Mapping[Operation, Watcher]:
        return dict.fromkeys(_TOPOLOGY_CHANGES, self._mark_stale)

    async def start(self) -> None:
        self._ctx.events.subscribe(TaskChanged, self._task_changed)
        self._ctx.events.subscribe(BlackholeChanged, self._blackhole_changed)
        self._traffic.network.append(self._intercept)
        self._background.run("network", self._follow())

    async def stop(self) -> None:
        await self._background.stop()
        if self._intercept in self._traffic.network:
            self._traffic.network.remove(self._intercept)
        for disruption in list(self._disruptions):
            self._restore(disruption)
        for event in self._isolated.values():
            event.set()
        for host, port in self._cut:
            self._links.heal(host, port, by=_BY)

    async def settle(self) -> None:
        """Wait until every change so far is enforced."""
        await self._settled.wait()

    def disrupt(self, subnets: Iterable[str], scope: str) -> Callable[[], None]:
        """Block traffic of a scope, calls under way included. Returns an idempotent function that ends the disruption;
        blocked calls then continue."""
        disruption = Disruption(frozenset(subnets), scope)
        self._disruptions.append(disruption)
        within = {each.task_arn for each in self._tasks.interfaces() if each.subnet in disruption.subnets}
        self._traffic.break_off(
            lambda call: call.caller.name in within and disruption.blocks(call.service), disruption.over
        )
        self._apply()
        return lambda: self._restore(disruption)

    def _restore(self, disruption: Disruption) -> None:
        if disruption in self._disruptions:
            self._disruptions.remove(disruption)
        disruption.over.set()
        self._apply()

    def _mark_stale(self, _: Call) -> None:
        self._settled.clear()
        self._stale.set()

    def _task_changed(self, event: TaskChanged) -> None:
        if event.last_status in ("ACTIVATING", "RUNNING", "STOPPED"):
            self._apply()

    def _blackhole_changed(self, event: BlackholeChanged) -> None:
        (self._blackholes.add if event.on else self._blackholes.discard)(event.blackhole)
        self._apply()
        task = event.blackhole.task_arn
        if task in self._isolated and event.on:
            self._traffic.break_off(lambda call: call.caller.name == task, self._isolated[task])

    async def _follow(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self._topology = await read_topology(self._ctx.aws)
                if await self._authorize_default_groups():
                    self._topology = await read_topology(self._ctx.aws)
                self._apply()
            except Exception:
                self._ctx.log.exception("security groups could not be applied; the previous rules remain in force")
            if not self._stale.is_set():
                self._settled.set()

    async def _authorize_default_groups(self) -> bool:
        """Allow the members of a VPC's default group to reach each other, a rule that the state store omits. Returns
        whether a group was changed."""
        new = [
            each for each in self._topology.groups.values() if each.is_default and each.id not in self._default_groups
        ]
        for each in new:
            self._default_groups.add(each.id)
            if not each.ingress:
                permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": each.id}]}
                await self._ctx.aws.store(
                    "ec2", "AuthorizeSecurityGroupIngress", GroupId=each.id, IpPermissions=[permission]
                )
        return bool(new)

    def _apply(self) -> None:
        """Cut and heal links, and isolate tasks, as rules and faults require."""
        cut: set[Address] = set()
        isolated: set[str] = set()
        for each in self._tasks.interfaces():
            swallowed = {(hole.port, hole.traffic) for hole in self._blackholes if hole.task_arn == each.task_arn}
            cut |= {(each.address, real) for real, port in each.ports.items() if (port, "ingress") in swallowed}
            if (AWS_PORT, "egress") in swallowed:
                isolated.add(each.task_arn)
            subnet = self._topology.subnets.get(each.subnet)
            if subnet is None:
                continue
            cut |= {(each.address, real) for real in each.ports if not self._is_reached(each, subnet, real)}
            groups = self._topology.groups_of(each.groups, subnet.vpc)
            if groups and not reaches_internet(groups, subnet.vpc_network):
                isolated.add(each.task_arn)
        for host, port in cut - self._cut:
            self._links.cut(host, port, by=_BY)
        for host, port in self._cut - cut:
            self._links.heal(host, port, by=_BY)
        self._cut = cut
        for task in isolated - self._isolated.keys():
            self._isolated[task] = asyncio.Event()
        for task in self._isolated.keys() - isolated:
            self._isolated.pop(task).set()

    def _is_reached(self, it: NetworkInterface, subnet: Subnet, real: int) -> bool:
        """Whether every load balancer that forwards to it can connect."""
        topology = self._topology
        arns = {arn for group in it.target_groups for arn in topology.users.get(group, ())}
        balancers = [topology.balancers[arn] for arn in arns if arn in topology.balancers]
        return all(self._can_connect(balancer, it, subnet, real) for balancer in balancers)

    def _can_connect(self, balancer: Balancer, it: NetworkInterface, subnet: Subnet, real: int) -> bool:
        topology = self._topology
        if balancer.vpc and balancer.vpc != subnet.vpc:
            return True  # peering or other routes are not emulated
        for disruption in self._disruptions:
            apart = it.subnet not in balancer.subnets
            if disruption.scope in ("all", "vpc") and it.subnet in disruption.subnets and apart:
                return False
        theirs, its = (
            topology.groups_of(balancer.groups, subnet.vpc),
            topology.groups_of(it.groups, subnet.vpc),
        )
        nodes = topology.nodes(balancer)
        if not (theirs and its and nodes):
            return True
        return reaches(theirs, nodes, its, topology.location(subnet, it.address, its), Port(real, it.ports[real]))

    async def _intercept(self, call: InterceptedCall) -> AwsError | None:
        if self._isolated and (call.service, call.operation) == ("ecs", "ExecuteCommand"):
            wanted = str(call.read().get("task", ""))
            if any(wanted in (task, task.rpartition("/")[2]) for task in self._isolated):
                return AwsError(
                    "TargetNotConnectedException",
                    "The execute command failed due to an internal error. Try again later.",
                )
        if call.caller.kind != "task" or not (self._isolated or self._disruptions):
            return None
        if event := self._isolated.get(call.caller.name):
            await event.wait()
        for disruption in tuple(self._disruptions):
            if disruption.blocks(call.service) and self._subnet_of(call.caller.name) in disruption.subnets:
                await disruption.over.wait()
        return None

    def _subnet_of(self, task: str) -> str:
        return next((each.subnet for each in self._tasks.interfaces() if each.task_arn == task), "")
