"""A small cloud with Lambda, and functions in it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.world import Factory, World
from webordinary_testkit.emulation.cloud import Cloud, CloudParts, Wiring
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.core.controller import Aws
from webordinary_testkit.emulation.services.cloudformation import Cloudformation
from webordinary_testkit.emulation.services.lambda_ import Lambda
from webordinary_testkit.emulation.services.lambda_.code import zipped
from webordinary_testkit.emulation.services.lambda_.process import Launcher
from webordinary_testkit.emulation.services.sqs import Sqs
from webordinary_testkit.emulation.services.sts import Sts

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}


@asynccontextmanager
async def cloud_with_functions(*more: Factory, scale: float = 60.0) -> AsyncIterator[World]:
    """A cloud with Lambda, SQS and CloudFormation, which verifies signatures."""

    def wire(parts: CloudParts) -> Wiring:
        context = parts.context
        functions = Lambda(context("lambda"), Launcher(parts.guardian), parts.dispatch.interceptors)
        account = (Sqs(context("sqs")), Sts(context("sts")), Cloudformation(context("cloudformation")))
        return Wiring((*account, functions, *(each(context("test")) for each in more)))

    cloud = Cloud(CloudConfig(scale=scale), wire)
    await cloud.start()
    try:
        yield World(cloud, cloud.context("test"))
    finally:
        await cloud.stop()


async def role(aws: Aws, name: str, *statements: Mapping[str, Any]) -> str:
    """A role for functions that allows these statements; its ARN."""
    made = await aws.call("iam", "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    if statements:
        await aws.call("iam", "PutRolePolicy", RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    return str(made["Role"]["Arn"])


@dataclass(frozen=True)
class Made:
    """A function of a test."""

    aws: Aws
    name: str
    arn: str

    async def invoke(self, event: Any = None, **params: Any) -> dict[str, Any]:
        answer = await self.aws.call(
            "lambda", "Invoke", FunctionName=self.name, Payload=json.dumps(event).encode(), **params
        )
        return {**answer, "Payload": json.loads(answer["Payload"] or b"null")}

    async def log(self) -> list[str]:
        """The lines of its log, of all streams."""
        answer = await self.aws.call("logs", "FilterLogEvents", logGroupName=f"/aws/lambda/{self.name}")
        return [each["message"] for each in answer["events"]]


async def python_function(aws: Aws, name: str, source: str, *statements: Mapping[str, Any], **settings: Any) -> Made:
    """A function whose module is `source`, with the handler `handler`; its role allows logs and these statements."""
    settings = {"Runtime": "python3.13", "Handler": "index.handler", "Timeout": 30, **settings}
    file = "index.py" if settings["Runtime"].startswith("python") else "index.js"
    answer = await aws.call(
        "lambda",
        "CreateFunction",
        FunctionName=name,
        Role=await role(aws, f"{name}-role", LOGS, *statements),
        Code={"ZipFile": zipped(file, textwrap.dedent(source))},
        **settings,
    )
    return Made(aws, name, answer["FunctionArn"])
