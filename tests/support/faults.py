"""A cloud with one service behind a load balancer and one table, and a nemesis to make it suffer.

async with place() as p:
    async with p.nemesis.fault(PauseTask(await p.task())):
        assert await p.get() == "504"
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.support.aws import SESSION
from tests.support.ecs import eventually
from tests.support.kit import a_stack
from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Caller
from webordinary_testkit.emulation.wiring import everything
from webordinary_testkit.kit.aws.client import Access, Aws, Credentials
from webordinary_testkit.kit.backends.capability import FAULTS, Level
from webordinary_testkit.kit.backends.emulated.admin_api import AdminApi
from webordinary_testkit.kit.backends.emulated.fault_api import GatewayFaultApi
from webordinary_testkit.kit.core.clock import Clock
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.core.ids import Ids
from webordinary_testkit.kit.core.threads import BlockingPool
from webordinary_testkit.kit.ecs_exec import EcsExec
from webordinary_testkit.kit.faults.context import FaultContext
from webordinary_testkit.kit.faults.nemesis import Nemesis
from webordinary_testkit.kit.system.facts import System

CLUSTER, SERVICE, TABLE, MAILS = "cluster", "edit-service", "sessions", "mails"
SHARED = "/shared"
"""Where the task has its volume, where tasks are containers."""
ROLE = "arn:aws:iam::123456789012:role/execution"
FAULT_ROLE = "arn:aws:iam::123456789012:role/faults"

SERVER = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *_):
        pass
ThreadingHTTPServer((os.environ["LISTEN"], int(os.environ["PORT"])), Handler).serve_forever()
"""
"""A container's program."""


@dataclass
class Place:
    cloud: Cloud
    aws: Aws
    context: FaultContext
    nemesis: Nemesis
    history: History
    url: str
    """The load balancer's."""

    async def task(self) -> str:
        """The ARN of a task of the service that runs and is healthy; waited for."""
        return str(await eventually(self._healthy, within=20))

    async def status(self, task: str) -> str:
        """A task's last status."""
        return str((await self.context.task(task))["lastStatus"])

    async def get(self) -> str:
        """The status of a request through the load balancer."""
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(f"{self.url}/") as answer:
            return str(answer.status)

    async def ask(self, task: str) -> str:
        """What the task's own port does: answers, silent, refused."""
        host, port = await self.context.address(await self.context.task(task))
        return await self.context.probe(host, port, 0.3)

    async def call_as(self, caller: Caller, within: float = 2.0) -> str:
        """What comes of a GetItem in the caller's name: ok, AWS's error code, silent (so many wall seconds), reset."""
        keys = self.cloud.keys.issue(caller)
        client = _client(self.cloud.gateway.url, keys.access_key_id, keys.secret_access_key, keys.session_token, within)
        try:
            await asyncio.to_thread(client.get_item, TableName=TABLE, Key={"id": {"S": "x"}})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        except ReadTimeoutError:
            return "silent"
        except ConnectionClosedError:
            return "reset"
        finally:
            client.close()
            self.cloud.keys.revoke(keys.access_key_id)
        return "ok"

    async def call_as_task(self, task: str, within: float = 2.0) -> str:
        return await self.call_as(Caller("task", task), within)

    async def _healthy(self) -> str | None:
        arns = (await self.aws.call("ecs", "list_tasks", cluster=CLUSTER, serviceName=SERVICE))["taskArns"]
        group = self.context.system.target_group_arn("edit")
        answer = await self.aws.call("elbv2", "describe_target_health", TargetGroupArn=group)
        states = {each["Target"]["Port"]: each["TargetHealth"]["State"] for each in answer["TargetHealthDescriptions"]}
        for arn in arns:
            task = await self.context.task(arn)
            if task["lastStatus"] == "RUNNING" and states.get((await self.context.address(task))[1]) == "healthy":
                return str(arn)
        return None


def _client(url: str, key: str, secret: str, token: str, within: float) -> Any:
    config = Config(retries={"total_max_attempts": 1}, read_timeout=within, connect_timeout=within)
    return SESSION.client(
        "dynamodb",
        endpoint_url=url,
        region_name="us-west-2",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
        config=config,
    )


@asynccontextmanager
async def place(
    *, init_process: bool = True, execute_command: bool = True, runtime: str = "process"
) -> AsyncIterator[Place]:
    """The service runs one task of one container named `edit`."""
    contained = runtime == "docker"
    if contained:
        images = {"server:1": os.environ.get("KIT_TEST_BASE_IMAGE", "webordinary/base:test")}
        config = CloudConfig(insecure_keys="test", scale=60.0, runtime=runtime, images=images, volume_mib=16)
    else:
        config = CloudConfig(
            insecure_keys="test", scale=60.0, programs={"server:1": [sys.executable, "-I", "-S", "-c", SERVER]}
        )
    cloud = Cloud(config, everything)
    await cloud.start()
    threads = BlockingPool(8)
    try:
        clock = Clock(scale=60.0, origin=cloud.clock.origin)
        history = History(clock)
        aws = Aws(Access("us-west-2", cloud.gateway.url, Credentials("test", "test")), threads, history)
        stack = a_stack(**await _furnished(cloud, init_process, execute_command, contained))
        ecs = EcsExec(await threads.run(aws.client, "ecs"), CLUSTER, credentials=await aws.credentials())

        async def run(task: str, container: str, command: str) -> Any:
            return await ecs.run(task, command, container=container)

        door = GatewayFaultApi(AdminApi(cloud.gateway.url, "test"), threads)
        context = FaultContext(aws, System(stack), clock, Ids(1), run, door)
        nemesis = Nemesis(context, history, dict.fromkeys(FAULTS, Level.MODELLED))
        yield Place(cloud, aws, context, nemesis, history, stack.load_balancer_url)
        aws.close()
    finally:
        threads.close()
        await cloud.stop()


async def _furnished(cloud: Cloud, init_process: bool, execute_command: bool, contained: bool) -> dict[str, str]:
    """Everything there; returns what the stack's outputs would say."""
    call = cloud.context("test").aws.call
    for table in (TABLE, MAILS):
        await call(
            "dynamodb",
            "CreateTable",
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
    vpc = (await call("ec2", "CreateVpc", CidrBlock="10.0.0.0/16"))["Vpc"]["VpcId"]
    subnets = [
        (await call("ec2", "CreateSubnet", VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-west-2{zone}"))[
            "Subnet"
        ]["SubnetId"]
        for n, zone in enumerate("ab")
    ]
    balancer = (await call("elbv2", "CreateLoadBalancer", Name="web", Subnets=subnets))["LoadBalancers"][0]
    groups = [
        (
            await call(
                "elbv2",
                "CreateTargetGroup",
                Name=name,
                Protocol="HTTP",
                Port=8080,
                VpcId=vpc,
                TargetType="ip",
                HealthCheckPath="/",
                HealthCheckIntervalSeconds=30,
                HealthCheckTimeoutSeconds=20,
                HealthyThresholdCount=2,
                UnhealthyThresholdCount=10,
            )
        )["TargetGroups"][0]["TargetGroupArn"]
        for name in ("edit", "hermes")
    ]
    attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
    await call("elbv2", "ModifyTargetGroupAttributes", TargetGroupArn=groups[0], Attributes=attributes)
    await call(
        "elbv2",
        "CreateListener",
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[0]}],
    )
    await _role(call)
    await call("ecs", "CreateCluster", clusterName=CLUSTER)
    await call(
        "ecs",
        "RegisterTaskDefinition",
        family="edit",
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        enableFaultInjection=True,
        executionRoleArn=ROLE,
        taskRoleArn=ROLE,
        containerDefinitions=[
            {
                "name": "edit",
                "image": "server:1",
                "essential": True,
                "portMappings": [{"containerPort": 8080}],
                "environment": [
                    {"name": "PORT", "value": "8080"},
                    {"name": "LISTEN", "value": "0.0.0.0" if contained else "127.0.0.1"},
                ],
                "linuxParameters": {"initProcessEnabled": init_process},
                **(await _container(call, subnets[0]) if contained else {}),
            }
        ],
        volumes=[
            {"name": "shared", "efsVolumeConfiguration": {"fileSystemId": each["FileSystemId"]}}
            for each in (await call("efs", "DescribeFileSystems"))["FileSystems"]
        ],
    )
    await call(
        "ecs",
        "CreateService",
        cluster=CLUSTER,
        serviceName=SERVICE,
        taskDefinition="edit",
        desiredCount=1,
        launchType="FARGATE",
        enableExecuteCommand=execute_command,
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets}},
        loadBalancers=[{"containerName": "edit", "containerPort": 8080, "targetGroupArn": groups[0]}],
    )
    return {
        "cluster_name": CLUSTER,
        "edit_service_name": SERVICE,
        "hermes_service_name": "hermes-service",
        "edit_target_group_arn": groups[0],
        "hermes_target_group_arn": groups[1],
        "fault_role_arn": FAULT_ROLE,
        "fault_abort_alarm_arn": "",
        "load_balancer_arn": balancer["LoadBalancerArn"],
        "sessions_table_name": TABLE,
        "mail_table_name": MAILS,
        "load_balancer_url": f"http://{balancer['DNSName']}",
    }


async def _container(call: Any, subnet: str) -> dict[str, Any]:
    """What a container has that a process has not: a program of its image, a volume with an end."""
    made = await call("efs", "CreateFileSystem", CreationToken="shared")
    await call("efs", "CreateMountTarget", FileSystemId=made["FileSystemId"], SubnetId=subnet)
    return {
        "entryPoint": ["python3", "-I", "-S", "-c", SERVER],
        "mountPoints": [{"sourceVolume": "shared", "containerPath": SHARED}],
    }


async def _role(call: Any) -> None:
    """What experiments act as."""
    trust = {"Effect": "Allow", "Principal": {"Service": "fis.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allow = {"Effect": "Allow", "Action": ["ecs:*", "ec2:*"], "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allow)]
    await call("iam", "CreateRole", RoleName="faults", AssumeRolePolicyDocument=documents[0])
    await call("iam", "PutRolePolicy", RoleName="faults", PolicyName="faults", PolicyDocument=documents[1])
