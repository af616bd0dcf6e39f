"""Rehearses live runs: an emulated cloud in place of AWS, with an account that holds foreign resources too.

    Rehearsal --starts--> emulated cloud --prepared as--> an account: mail domain, ECR images, foreign resources
        \\--environment--> the live backend, which takes endpoint and credentials from it, as for AWS

The live backend gets no other hint, so it does the same here as on AWS, free of charge.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ...aws.client import Aws, Credentials
from ...core.errors import InfraError
from ...core.history import History
from ...core.threads import BlockingPool
from ...settings import Settings
from . import programs
from .child import Child, environment
from .readiness import Readiness

MAIL_DOMAIN = "it.rehearsal.example"
RULE_SET = "inbound-mail"
ROLE = "integration-tests"
"""A role that the account's users may assume."""
CALLS = "calls.jsonl"
"""The record of every call, in the stand-in's folder; `kit rehearse` copies it to the run's."""
OWNER = "root"
"""The caller that prepares the account, in the record of calls: the cloud's name for its own key."""
USER = "integration-tests"
"""The IAM user whose access key a live run has."""
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
    """A prepared account in a running emulated cloud."""

    ready: Readiness
    credentials: Credentials
    """The access key of the IAM user that a live run acts as; the owner of the account has the one of `ready`."""
    images: Mapping[str, str]
    """Template parameter → image in the account's ECR."""

    @property
    def endpoint(self) -> str:
        return self.ready.aws

    @property
    def account(self) -> str:
        return self.ready.account

    @property
    def region(self) -> str:
        return self.ready.region

    def environment(self) -> dict[str, str]:
        """Variables that point any AWS client, and the kit's live mode, at this account."""
        return {
            **replace(self.ready.access(), credentials=self.credentials).environment(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": "127.0.0.1,localhost",
            "KIT_MODE": "live",
            "KIT_REGION": self.region,
            "KIT_ACCOUNT": self.account,
            "KIT_LIVE__MAIL_DOMAIN": MAIL_DOMAIN,
            "KIT_LIVE__CLOCK__SCALE": repr(self.ready.scale),
            "KIT_LIVE__CLOCK__ORIGIN": repr(self.ready.origin),
            "KIT_STACK__PARAMETERS": json.dumps(dict(self.images)),
        }

    def settings(self) -> dict[str, Any]:
        """The same as settings: the values of the environment's `KIT_…` variables."""
        clock = {"scale": self.ready.scale, "origin": self.ready.origin}
        return {
            "mode": "live",
            "region": self.region,
            "account": self.account,
            "live": {"mail_domain": MAIL_DOMAIN, "clock": clock},
            "stack": {"parameters": dict(self.images)},
        }


@dataclass
class Rehearsal:
    """A stand-in for AWS. `start` it once; `stop` ends it with everything in it."""

    settings: Settings
    folder: Path
    """For the cloud's log and its record of calls, `calls.jsonl`."""
    scale: float | None = None
    _child: Child | None = field(default=None, repr=False)
    account: Account | None = None

    async def start(self) -> Account:
        """Start the cloud and prepare its account. Raises `InfraError`."""
        threads = BlockingPool()
        settings = self.settings
        registry = f"{settings.account}.dkr.ecr.{settings.region}.amazonaws.com"
        configured = programs.configured(settings.emulated.programs)
        reference = {f"{registry}/{image}": configured.get(image, argv) for image, argv in programs.reference().items()}
        config = {
            "region": settings.region,
            "account": settings.account,
            "scale": self.scale or settings.emulated.scale,
            "port": settings.emulated.port,
            "programs": reference | configured,
            "record": str((self.folder / CALLS).resolve()),
        }
        try:
            self._child = Child(programs.emulator(config), self.folder / "stand-in.log", environment())
            line = await threads.run(self._child.ready, settings.emulated.start_within)
            images = {
                "HermesImage": f"{registry}/{programs.HERMES_IMAGE}",
                "EditImage": f"{registry}/{programs.EDIT_IMAGE}",
            }
            self.account = await _prepared(Readiness.from_json(line), images, threads)
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
        """End it. Blocks until it has ended; may be repeated."""
        child, self._child = self._child, None
        if child is not None:
            child.stop()


@contextmanager
def aimed(account: Account) -> Iterator[None]:
    """Point this process's AWS clients, and its live mode, at this account inside the block.

    boto3's default session keeps the credentials that it found first, so it is made anew.
    """
    import boto3  # noqa: PLC0415 - heavy: only where a rehearsal runs

    variables = account.environment()
    before = {name: os.environ.get(name) for name in (*variables, "AWS_PROFILE", "AWS_SESSION_TOKEN")}
    os.environ.pop("AWS_PROFILE", None)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(variables)
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = None
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _prepared(ready: Readiness, images: Mapping[str, str], threads: BlockingPool) -> Account:
    """Create what its owner sets up once by hand, a user for the run, and foreign resources."""
    aws = Aws(ready.access(), threads, History(ready.clock(allowance=20)))
    try:
        await aws.call("iam", "create_user", UserName=USER)
        key = (await aws.call("iam", "create_access_key", UserName=USER))["AccessKey"]
        credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
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
        for image in images.values():
            repository, _, tag = image.partition("/")[2].partition(":")
            await aws.call("ecr", "create_repository", repositoryName=repository)
            await aws.call("ecr", "put_image", repositoryName=repository, imageManifest=_MANIFEST, imageTag=tag)
        await aws.call("iam", "create_role", RoleName=ROLE, AssumeRolePolicyDocument=_trust(ready.account))
        await aws.call("sqs", "create_queue", QueueName=FOREIGN_QUEUE)
        await aws.call("cloudformation", "create_stack", StackName=FOREIGN_STACK, TemplateBody=_FOREIGN_TEMPLATE)
        await aws.call("ecs", "create_cluster", clusterName=FOREIGN_CLUSTER)
        await _foreign_service(aws)
        return Account(ready, credentials, images)
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
