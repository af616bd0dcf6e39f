"""An emulated cloud with ECS for a test: real boto3, real child processes, a scripted load balancer.

async with ecs_world({"web:1": UNTIL_STOPPED}) as w:
    await w.register("web", image="web:1")
    await w.create_service("web", count=2)
    await w.stable("web")
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from botocore.config import Config

from tests.support.aws import SESSION
from tests.support.world import World, world
from webordinary_testkit.emulation.core.controller import (
    Call,
    Context,
    Handler,
    Operation,
    TargetHealthChanged,
    TaskChanged,
    Watcher,
)
from webordinary_testkit.emulation.core.errors import AwsError
from webordinary_testkit.emulation.core.guardian import Guardian
from webordinary_testkit.emulation.services.ecs import Ecs, ProcessRuntime
from webordinary_testkit.emulation.services.efs import Storage

CLUSTER = "test"
LOG_GROUP = "/ecs/test"
ROLE = "arn:aws:iam::123456789012:role/execution"

UNTIL_STOPPED = """
import signal, sys
def end(*_):
    print("bye", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
while True:
    signal.pause()
"""
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
while True:
    signal.pause()
"""


class Balancer:
    """The part of elbv2 that ECS talks to. Targets become healthy when the test says so, or at once."""

    def __init__(self, ctx: Context, *, healthy_at_once: bool = True, drains: float | None = 0.0) -> None:
        self._ctx = ctx
        self._at_once = healthy_at_once
        self.drains = drains
        """AWS seconds a target drains; None leaves it draining."""
        self.delay = drains or 5
        """The deregistration delay of its target groups."""
        self.gone = False
        """Whether its target groups have been deleted."""
        self.states: dict[tuple[str, int], str] = {}
        self.log: list[str] = []
        self._later: set[asyncio.Task[None]] = set()

    def handlers(self) -> Mapping[Operation, Handler]:
        answers = {
            "DescribeTargetGroups": self._groups,
            "DescribeTargetGroupAttributes": self._attributes,
            "DescribeTargetHealth": self._health,
            "RegisterTargets": self._register,
            "DeregisterTargets": self._deregister,
        }
        return {("elbv2", name): handler for name, handler in answers.items()}

    def watchers(self) -> Mapping[Operation, Watcher]:
        return {}

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        for each in self._later:
            each.cancel()

    def say(self, group: str, port: int, state: str, reason: str | None = None) -> None:
        """Change a target's state, as a health check does."""
        self.states[group, port] = state
        self._ctx.events.publish(TargetHealthChanged(group, "127.0.0.1", port, state, reason))

    async def _groups(self, call: Call) -> dict[str, Any]:
        arn = call.params["TargetGroupArns"][0]
        if "missing" in arn:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        kind = "instance" if "instance" in arn else "ip"
        balancers = [] if "orphan" in arn else ["arn:lb"]
        return {"TargetGroups": [{"TargetGroupArn": arn, "TargetType": kind, "LoadBalancerArns": balancers}]}

    async def _attributes(self, call: Call) -> dict[str, Any]:
        return {"Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": str(int(self.delay))}]}

    async def _health(self, call: Call) -> dict[str, Any]:
        group = call.params["TargetGroupArn"]
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": "127.0.0.1", "Port": port}, "TargetHealth": {"State": state}}
                for (of, port), state in self.states.items()
                if of == group
            ]
        }

    async def _register(self, call: Call) -> dict[str, Any]:
        if self.gone:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        for target in call.params["Targets"]:
            self.log.append("register")
            self.states[call.params["TargetGroupArn"], target["Port"]] = "healthy" if self._at_once else "initial"
        return {}

    async def _deregister(self, call: Call) -> dict[str, Any]:
        if self.gone:
            raise AwsError("TargetGroupNotFound", "One or more target groups not found")
        for target in call.params["Targets"]:
            self.log.append("deregister")
            group, port = call.params["TargetGroupArn"], target["Port"]
            self.say(group, port, "draining", "Target.DeregistrationInProgress")
            if self.drains is not None:
                later = asyncio.create_task(self._drained(group, port, self.drains))
                self._later.add(later)
                later.add_done_callback(self._later.discard)
        return {}

    async def _drained(self, group: str, port: int, after: float) -> None:
        await self._ctx.clock.sleep(after)
        self.log.append("drained")
        self.say(group, port, "unused")
        del self.states[group, port]


class EcsWorld:
    def __init__(self, inside: World, balancer: Balancer, ecs: Ecs, subnets: list[str]) -> None:
        self.world = inside
        self.balancer = balancer
        self.controller = ecs
        self.subnets = subnets
        self.changes: list[TaskChanged] = []
        self._clients: dict[str, Any] = {}
        inside.ctx.events.subscribe(TaskChanged, self.changes.append)

    async def call(self, operation: str, service: str = "ecs", /, **params: Any) -> Any:
        """One call by boto3, over the wire, in the cluster of the test."""
        client = self.client(service)
        if service == "ecs" and operation in _IN_CLUSTER:
            params.setdefault("cluster", CLUSTER)
        return await asyncio.to_thread(getattr(client, operation), **params)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = client_of(self.world.url, service)
        return self._clients[service]

    async def wait(self, waiter: str, **params: Any) -> None:
        """boto3's own waiter, without its pauses of many seconds."""
        client = self.client("ecs")
        config = {"Delay": 0.02, "MaxAttempts": 500}
        await asyncio.to_thread(client.get_waiter(waiter).wait, cluster=CLUSTER, WaiterConfig=config, **params)

    async def stable(self, *services: str) -> None:
        await self.wait("services_stable", services=list(services))

    @property
    def network(self) -> dict[str, Any]:
        return {"awsvpcConfiguration": {"subnets": self.subnets}}

    async def register(self, family: str, *containers: Mapping[str, Any], image: str = "", **settings: Any) -> str:
        """Register a Fargate task definition of 0.25 vCPU; returns its ARN. A container's `name` and `image` are the
        family's unless it says others; output goes to the log group of the test."""
        definitions = [
            {
                "name": family,
                "image": image,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": LOG_GROUP,
                        "awslogs-region": "us-west-2",
                        "awslogs-stream-prefix": "ecs",
                    },
                },
                **container,
            }
            for container in containers or ({},)
        ]
        wanted: dict[str, Any] = {
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": ROLE,
            **settings,
        }
        answer = await self.call("register_task_definition", family=family, containerDefinitions=definitions, **wanted)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    async def create_service(self, name: str, *, count: int = 1, definition: str = "", **settings: Any) -> Any:
        answer = await self.call(
            "create_service",
            serviceName=name,
            taskDefinition=definition or name,
            desiredCount=count,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **settings,
        )
        return answer["service"]

    async def run(self, definition: str, **settings: Any) -> Any:
        """Run one task; returns it as RunTask answers it."""
        answer = await self.call(
            "run_task",
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **settings,
        )
        return answer["tasks"][0]

    async def task(self, arn: str) -> Any:
        return (await self.call("describe_tasks", tasks=[arn]))["tasks"][0]

    async def running(self, arn: str) -> Any:
        await self.wait("tasks_running", tasks=[arn])
        return await self.task(arn)

    async def stopped(self, arn: str) -> Any:
        await self.wait("tasks_stopped", tasks=[arn])
        return await self.task(arn)

    async def tasks(self, service: str, status: str = "RUNNING") -> list[Any]:
        arns = (await self.call("list_tasks", serviceName=service, desiredStatus=status))["taskArns"]
        return (await self.call("describe_tasks", tasks=arns))["tasks"] if arns else []

    async def service(self, name: str) -> Any:
        return (await self.call("describe_services", services=[name]))["services"][0]

    async def events(self, name: str) -> list[str]:
        """The service's event messages, the oldest first."""
        return [event["message"] for event in reversed((await self.service(name))["events"])]

    async def event(self, name: str, text: str) -> str:
        """The first event of the service with this text, once it is there."""

        async def look() -> str | None:
            return next((each for each in await self.events(name) if text in each), None)

        return str(await eventually(look))

    async def log(self, task: Any, container: str | None = None) -> list[str]:
        name = container or task["containers"][0]["name"]
        stream = f"ecs/{name}/{task['taskArn'].split('/')[-1]}"
        answer = await self.call("get_log_events", "logs", logGroupName=LOG_GROUP, logStreamName=stream)
        return [event["message"] for event in answer["events"]]


def client_of(url: str, service: str) -> Any:
    """A boto3 client of a cloud's gateway. It blocks, and does not retry."""
    return SESSION.client(
        service,
        endpoint_url=url,
        region_name="us-west-2",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


_IN_CLUSTER = frozenset(
    {
        *("create_service", "update_service", "delete_service", "describe_services", "list_services"),
        *("run_task", "stop_task", "describe_tasks", "list_tasks", "list_container_instances", "execute_command"),
    }
)


async def eventually(probe: Callable[[], Awaitable[Any]], within: float = 10.0) -> Any:
    """The awaited probe's value once it is true; fails with its last value after so many wall seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not (value := await probe()):
        if loop.time() > deadline:
            raise AssertionError(f"not within {within} s; last seen: {value!r}")
        await asyncio.sleep(0.01)
    return value


@asynccontextmanager
async def ecs_world(
    programs: Mapping[str, str], *, scale: float = 60.0, healthy_at_once: bool = True, drains: float | None = 0.0
) -> AsyncIterator[EcsWorld]:
    """`programs` maps image names to the Python source they run. There is a cluster, two subnets in two zones and a
    log group."""
    argvs = {image: [sys.executable, "-I", "-S", "-c", source] for image, source in programs.items()}
    guardian = Guardian()
    await guardian.start()
    balancers: list[Balancer] = []
    storages: list[Storage] = []
    controllers: list[Ecs] = []

    def balancer(ctx: Context) -> Balancer:
        balancers.append(Balancer(ctx, healthy_at_once=healthy_at_once, drains=drains))
        return balancers[0]

    def storage(ctx: Context) -> Storage:
        storages.append(Storage(ctx))
        return storages[0]

    def ecs(ctx: Context) -> Ecs:
        controllers.append(Ecs(ctx, ProcessRuntime(argvs, guardian, ctx.clock), storages[0]))
        return controllers[0]

    try:
        async with world(balancer, storage, ecs, scale=scale) as w:
            vpc = (await w.aws.call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
            subnets = []
            for zone, block in (("us-west-2a", "10.0.1.0/24"), ("us-west-2b", "10.0.2.0/24")):
                made_subnet = await w.aws.call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=block, AvailabilityZone=zone)
                subnets.append(made_subnet["Subnet"]["SubnetId"])
            await w.aws.call("logs", "CreateLogGroup", logGroupName=LOG_GROUP)
            await w.aws.call("ecs", "CreateCluster", clusterName=CLUSTER)
            yield EcsWorld(w, balancers[0], controllers[0], subnets)
    finally:
        await guardian.done()
