"""The rehearsal: an emulated cloud takes the place of AWS, with an account as it is found in real life.

    Rehearsal --starts--> emulated cloud --prepared as--> an account: mail domain, ECR images, other people's things
        \\--environment--> the live backend, which finds an endpoint and credentials there, as it finds AWS

The live backend is told nothing else; what it does here is what it will do there, and costs nothing.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..aws.client import Access, Aws, Credentials
from ..core.clock import Clock
from ..core.errors import InfraError
from ..core.history import History
from ..core.threads import Threads
from ..settings import Settings
from .emulated.child import Child, environment

MAIL_DOMAIN = "it.rehearsal.example"
RULE_SET = "inbound-mail"
ROLE = "integration-tests"
"""A role that the account's own users may assume."""
CALLS = "calls.jsonl"
"""The record of every call, in the stand-in's folder; `kit rehearse` leaves it in the run's."""
OWNER = "owner"
"""The access key with which the account is prepared: what it did is not taken for the run's in the record of calls."""
FOREIGN_RULE = "accounting"
FOREIGN_STACK = "somebody-elses-stack"
FOREIGN_QUEUE = "somebody-elses-orders"
FOREIGN_CLUSTER = "somebody-elses-cluster"
FOREIGN_SERVICE = "somebody-elses-web"

_FOREIGN_TEMPLATE = json.dumps(
    {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "somebody-elses-topic"}}}}
)
_MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifests": [
            {
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "size": 7143,
                "digest": "sha256:" + "0" * 64,
                "platform": {"architecture": "amd64", "os": "linux"},
            }
        ],
    }
)


@dataclass(frozen=True)
class Account:
    """A prepared account: where it is, and what a live run is told of it."""

    endpoint: str
    region: str
    account: str
    scale: float
    origin: float
    images: Mapping[str, str]
    """Template parameter → image in the account's ECR."""
    pid: int
    """Of the emulated cloud."""

    def environment(self) -> dict[str, str]:
        """What makes any AWS client, and the kit's live mode, go to this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "KIT_MODE": "live",
            "KIT_REGION": self.region,
            "KIT_ACCOUNT": self.account,
            "KIT_LIVE__MAIL_DOMAIN": MAIL_DOMAIN,
            "KIT_LIVE__CLOCK__SCALE": repr(self.scale),
            "KIT_LIVE__CLOCK__ORIGIN": repr(self.origin),
            "KIT_STACK__PARAMETERS": json.dumps(dict(self.images)),
        }

    def settings(self) -> dict[str, Any]:
        """The same for settings that are made in this process: what the environment's `KIT_…` variables say."""
        return {
            "mode": "live",
            "region": self.region,
            "account": self.account,
            "live": {"mail_domain": MAIL_DOMAIN, "clock": {"scale": self.scale, "origin": self.origin}},
            "stack": {"parameters": dict(self.images)},
        }


@dataclass
class Rehearsal:
    """A stand-in for AWS. `start` once; `stop` ends it and whatever is in it."""

    settings: Settings
    folder: Path
    """For the cloud's log and its record of calls, `calls.jsonl`."""
    scale: float | None = None
    _child: Child | None = field(default=None, repr=False)
    account: Account | None = None

    async def start(self) -> Account:
        """Start the cloud and prepare its account. Raises `InfraError`."""
        threads = Threads()
        settings = self.settings
        images = {
            parameter: f"{settings.account}.dkr.ecr.{settings.region}.amazonaws.com/{image}"
            for parameter, image in (
                ("HermesImage", "webordinary/hermes:test"),
                ("EditImage", "webordinary/edit:test"),
            )
        }
        programs = {
            images["HermesImage"]: [sys.executable, "-m", "webordinary_testkit.emulation.system.hermes"],
            images["EditImage"]: [sys.executable, "-m", "webordinary_testkit.emulation.system.edit"],
            **{image: list(argv) for image, argv in settings.emulated.programs.items()},
        }
        config = {
            "region": settings.region,
            "account": settings.account,
            "scale": self.scale or settings.emulated.scale,
            "port": settings.emulated.port,
            "programs": programs,
            "record": str((self.folder / CALLS).resolve()),
        }
        try:
            argv = [sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps(config)]
            self._child = Child(argv, self.folder / "stand-in.log", environment())
            line = await threads.run(self._child.ready, settings.emulated.start_within)
            self.account = Account(
                endpoint=line["aws"],
                region=line["region"],
                account=line["account"],
                scale=float(line["clock"]["scale"]),
                origin=float(line["clock"]["origin"]),
                images=images,
                pid=int(line["pid"]),
            )
            await _prepare(self.account, threads)
        except BaseException:
            self.stop()
            raise
        finally:
            threads.close()
        return self.account

    def health(self) -> str | None:
        """None while the stand-in runs."""
        return "the stand-in for AWS was not started" if self._child is None else self._child.ended()

    def stop(self) -> None:
        """End it. Blocks until it is gone; harmless when it is."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()


@contextmanager
def aimed(account: Account) -> Iterator[None]:
    """This process's AWS clients, and its live mode, go to this account inside the block."""
    told = account.environment()
    before = {name: os.environ.get(name) for name in (*told, "AWS_PROFILE", "AWS_SESSION_TOKEN")}
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _prepare(account: Account, threads: Threads) -> None:
    """What its owner did once and by hand, and what belongs to somebody else."""
    clock = Clock(scale=account.scale, origin=account.origin, allowance=20)
    access = Access(account.region, account.endpoint, Credentials(OWNER, OWNER))
    aws = Aws(access, threads, History(clock))
    try:
        await aws.call("ses", "verify_domain_identity", Domain=MAIL_DOMAIN)
        await aws.call("ses", "create_receipt_rule_set", RuleSetName=RULE_SET)
        await aws.call("ses", "set_active_receipt_rule_set", RuleSetName=RULE_SET)
        await aws.call(
            "ses",
            "create_receipt_rule",
            RuleSetName=RULE_SET,
            Rule={
                "Name": FOREIGN_RULE,
                "Enabled": True,
                "Recipients": ["accounting.example"],
                "Actions": [{"StopAction": {"Scope": "RuleSet"}}],
            },
        )
        for image in account.images.values():
            repository, _, tag = image.partition("/")[2].partition(":")
            await aws.call("ecr", "create_repository", repositoryName=repository)
            await aws.call("ecr", "put_image", repositoryName=repository, imageManifest=_MANIFEST, imageTag=tag)
        await aws.call("iam", "create_role", RoleName=ROLE, AssumeRolePolicyDocument=_trust(account.account))
        await aws.call("sqs", "create_queue", QueueName=FOREIGN_QUEUE)
        await aws.call("cloudformation", "create_stack", StackName=FOREIGN_STACK, TemplateBody=_FOREIGN_TEMPLATE)
        await aws.call("ecs", "create_cluster", clusterName=FOREIGN_CLUSTER)
        await _foreign_service(aws)
    except Exception as error:
        raise InfraError(f"the account could not be prepared for the rehearsal: {error}") from error
    finally:
        aws.close()


def _trust(account: str) -> str:
    allow = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


async def _foreign_service(aws: Aws) -> None:
    await aws.call(
        "ecs",
        "register_task_definition",
        family=FOREIGN_SERVICE,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "somebody/web:1", "essential": True}],
    )
    vpc = await aws.call("ec2", "create_vpc", CidrBlock="10.99.0.0/16")
    subnet = await aws.call("ec2", "create_subnet", VpcId=vpc["Vpc"]["VpcId"], CidrBlock="10.99.0.0/24")
    await aws.call(
        "ecs",
        "create_service",
        cluster=FOREIGN_CLUSTER,
        serviceName=FOREIGN_SERVICE,
        taskDefinition=FOREIGN_SERVICE,
        desiredCount=0,
        launchType="FARGATE",
        networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet["Subnet"]["SubnetId"]]}},
    )
