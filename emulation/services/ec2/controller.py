"""The controller of the network: what security groups and disruptions let through, put into force.

    ec2, elbv2, ecs news --> Declared, interfaces --> for each task:
        load balancer -> task   links (connections that begin later)
        task -> AWS             gateway (calls that begin later; a disruption breaks off those under way, too)

Rules are stateful: what is connected stays connected when one is taken away, as on AWS. A disruption is that of a
network ACL, which knows no state. Clients' way to the load balancer and the tasks' to each other are not held up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ...core.controller import Call, Context, Handler, Operation, TaskChanged, Watcher
from ...core.errors import AwsError
from ...gateway import InterceptedCall, Interceptor
from ..ecs.agent_faults import Blackhole, BlackholeChanged
from ..ecs.network_interfaces import NetworkInterface
from ..elbv2.links import Address, Links
from .interfaces import InterfaceApi
from .rules import AWS_PORT, Port, reaches, reaches_internet
from .topology import Balancer, Declared, Subnet, read

_BY = "network"
_CHANGING: tuple[Operation, ...] = (
    *(
        ("ec2", name)
        for name in (
            "AuthorizeSecurityGroupIngress",
            "AuthorizeSecurityGroupEgress",
            "RevokeSecurityGroupIngress",
            "RevokeSecurityGroupEgress",
            "ModifySecurityGroupRules",
            "CreateSecurityGroup",
            "DeleteSecurityGroup",
            "CreateSubnet",
            "DeleteSubnet",
            "CreateVpc",
            "DeleteVpc",
        )
    ),
    *(
        ("elbv2", name)
        for name in (
            "CreateLoadBalancer",
            "DeleteLoadBalancer",
            "SetSecurityGroups",
            "SetSubnets",
            "CreateListener",
            "ModifyListener",
            "DeleteListener",
            "CreateRule",
            "ModifyRule",
            "DeleteRule",
        )
    ),
)


class Traffic(Protocol):
    """The gateway, as far as the network reaches into it."""

    interceptors: list[Interceptor]

    def break_off(self, concerns: Callable[[InterceptedCall], bool], until: asyncio.Event | None = None) -> int: ...


class Tasks(Protocol):
    def interfaces(self) -> Iterable[NetworkInterface]: ...


@dataclass(eq=False)
class Disruption:
    """A network that lets nothing of `scope` through to and from subnets."""

    subnets: frozenset[str]
    scope: str
    """`all` (but for traffic within a subnet), or a service such as `dynamodb`, `s3`."""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def stops(self, service: str) -> bool:
        return self.scope in ("all", service)


class Network:
    """A `Controller`. Also `disrupt`, for who injects faults."""

    def __init__(self, ctx: Context, traffic: Traffic, links: Links, tasks: Tasks) -> None:
        self._ctx = ctx
        self._traffic = traffic
        self._links = links
        self._tasks = tasks
        self._declared = Declared()
        self._stale = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._following: asyncio.Task[None] | None = None
        self._cut: set[Address] = set()
        self._isolated: dict[str, asyncio.Event] = {}
        """Tasks that reach AWS no more, until their event is set."""
        self._disruptions: list[Disruption] = []
        self._blackholes: set[Blackhole] = set()
        self._furnished: set[str] = set()
        self._interface_api = InterfaceApi(ctx.aws, ctx.account, ctx.region, tasks.interfaces, lambda: self._declared)

    def handlers(self) -> Mapping[Operation, Handler]:
        return self._interface_api.handlers()

    def watchers(self) -> Mapping[Operation, Watcher]:
        return dict.fromkeys(_CHANGING, self._heard)

    async def start(self) -> None:
        self._ctx.events.subscribe(TaskChanged, self._task_changed)
        self._ctx.events.subscribe(BlackholeChanged, self._blackhole_changed)
        self._traffic.interceptors.append(self._intercept)
        self._following = asyncio.get_running_loop().create_task(self._follow(), name="network")

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        if self._intercept in self._traffic.interceptors:
            self._traffic.interceptors.remove(self._intercept)
        for disruption in list(self._disruptions):
            self._restore(disruption)
        for event in self._isolated.values():
            event.set()
        for host, port in self._cut:
            self._links.heal(host, port, by=_BY)

    async def settle(self) -> None:
        """Wait until everything heard so far is in force."""
        await self._settled.wait()

    def disrupt(self, subnets: Iterable[str], scope: str) -> Callable[[], None]:
        """Let nothing of a scope through from now on, calls under way included. Returns what ends it; what hangs
        goes on then. It may be called again."""
        disruption = Disruption(frozenset(subnets), scope)
        self._disruptions.append(disruption)
        within = {each.task_arn for each in self._tasks.interfaces() if each.subnet in disruption.subnets}
        self._traffic.break_off(
            lambda call: call.caller.name in within and disruption.stops(call.service), disruption.over
        )
        self._apply()
        return lambda: self._restore(disruption)

    def _restore(self, disruption: Disruption) -> None:
        if disruption in self._disruptions:
            self._disruptions.remove(disruption)
        disruption.over.set()
        self._apply()

    def _heard(self, _: Call) -> None:
        self._settled.clear()
        self._stale.set()

    def _task_changed(self, news: TaskChanged) -> None:
        if news.last_status in ("ACTIVATING", "RUNNING", "STOPPED"):
            self._apply()

    def _blackhole_changed(self, news: BlackholeChanged) -> None:
        (self._blackholes.add if news.on else self._blackholes.discard)(news.blackhole)
        self._apply()
        task = news.blackhole.task_arn
        if task in self._isolated and news.on:
            self._traffic.break_off(lambda call: call.caller.name == task, self._isolated[task])

    async def _follow(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                self._declared = await read(self._ctx.aws)
                if await self._furnish():
                    self._declared = await read(self._ctx.aws)
                self._apply()
            except Exception:
                self._ctx.log.exception("what the network lets through cannot be told")
            if not self._stale.is_set():
                self._settled.set()

    async def _furnish(self) -> bool:
        """A VPC's default group lets its own members in, which the base leaves out. Whether there was one to do."""
        new = [each for each in self._declared.groups.values() if each.is_default and each.id not in self._furnished]
        for each in new:
            self._furnished.add(each.id)
            if not each.ingress:
                permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": each.id}]}
                await self._ctx.aws.store(
                    "ec2", "AuthorizeSecurityGroupIngress", GroupId=each.id, IpPermissions=[permission]
                )
        return bool(new)

    def _apply(self) -> None:
        """Cut and heal what is not as it should be."""
        cut: set[Address] = set()
        isolated: set[str] = set()
        for each in self._tasks.interfaces():
            swallowed = {(hole.port, hole.traffic) for hole in self._blackholes if hole.task_arn == each.task_arn}
            cut |= {(each.address, real) for real, port in each.ports.items() if (port, "ingress") in swallowed}
            if (AWS_PORT, "egress") in swallowed:
                isolated.add(each.task_arn)
            subnet = self._declared.subnets.get(each.subnet)
            if subnet is None:
                continue
            cut |= {(each.address, real) for real in each.ports if not self._is_reached(each, subnet, real)}
            groups = self._declared.groups_of(each.groups, subnet.vpc)
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
        """Whether every load balancer that forwards to it gets there."""
        declared = self._declared
        arns = {arn for group in it.target_groups for arn in declared.users.get(group, ())}
        balancers = [declared.balancers[arn] for arn in arns if arn in declared.balancers]
        return all(self._gets_there(balancer, it, subnet, real) for balancer in balancers)

    def _gets_there(self, balancer: Balancer, it: NetworkInterface, subnet: Subnet, real: int) -> bool:
        declared = self._declared
        if balancer.vpc and balancer.vpc != subnet.vpc:
            return True  # peered or otherwise: nothing is known of that way
        for disruption in self._disruptions:
            apart = it.subnet not in balancer.subnets
            if disruption.scope in ("all", "vpc") and it.subnet in disruption.subnets and apart:
                return False
        theirs, its = (
            declared.groups_of(balancer.groups, subnet.vpc),
            declared.groups_of(it.groups, subnet.vpc),
        )
        nodes = declared.nodes(balancer)
        if not (theirs and its and nodes):
            return True
        return reaches(theirs, nodes, its, declared.place(subnet, it.address, its), Port(real, it.ports[real]))

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
            if disruption.stops(call.service) and self._subnet_of(call.caller.name) in disruption.subnets:
                await disruption.over.wait()
        return None

    def _subnet_of(self, task: str) -> str:
        return next((each.subnet for each in self._tasks.interfaces() if each.task_arn == task), "")
