"""Checks room for the stack: quotas of the account, an existing stack, leftovers of runs, the ledger's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from ..aws.client import Aws
from ..aws.deploy import stack_named
from ..aws.template import Template
from ..backends.live import tags
from ..backends.live.janitor import JanitorOutcome
from ..backends.live.janitor_factory import janitor
from ..backends.live.ledger import FOLDER
from ..backends.live.stack import USABLE
from ..settings import Settings
from .finding import DoctorFinding, Level, fail, ok, warn

_OVERLAP = 2
"""During a deployment, old and new tasks run side by side."""


@dataclass(frozen=True)
class _Quota:
    service: str
    code: str
    what: str
    listing: tuple[str, str, str] | None = None
    """The listing that counts against it: boto3's service, operation and key."""


_VCPU = _Quota("fargate", "L-3032A538", "Fargate vCPU")
_COUNTED = {
    "AWS::EC2::VPC": _Quota("vpc", "L-F678F1CE", "VPCs", ("ec2", "describe_vpcs", "Vpcs")),
    "AWS::EC2::InternetGateway": _Quota(
        "vpc", "L-A4707A72", "internet gateways", ("ec2", "describe_internet_gateways", "InternetGateways")
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _Quota(
        "elasticloadbalancing", "L-53DA6B97", "load balancers", ("elbv2", "describe_load_balancers", "LoadBalancers")
    ),
}


async def quotas(aws: Aws, template: Template, *, deployed: bool) -> Sequence[DoctorFinding]:
    """Checks quotas that new accounts exceed. `deployed`: the stack exists, and needs no further resources."""
    findings = []
    needs = vcpus(template)
    has = await _value(aws, _VCPU)
    if has is not None and has < needs:
        next = "ask for more: aws service-quotas request-service-quota-increase --service-code fargate --quota-code "
        findings.append(
            fail("quotas", f"{has:g} Fargate vCPU, tasks need {needs:g}", f"{next}{_VCPU.code} --desired-value 6")
        )
    elif has is not None:
        findings.append(ok("quotas", f"{has:g} Fargate vCPU, tasks need {needs:g}"))
    for type, quota in _COUNTED.items():
        needed = 0 if deployed else len(template.of_type(type))
        has = await _value(aws, quota)
        if not needed or has is None or quota.listing is None:
            continue
        used = len(await aws.pages(*quota.listing))
        seen = f"{used} of {has:g} {quota.what}, the stack needs {needed} more"
        if used + needed > has:
            next = f"remove one, or ask for more: quota {quota.code} of {quota.service}"
            findings.append(fail("quotas", seen, next))
        else:
            findings.append(ok("quotas", seen))
    return findings


async def _value(aws: Aws, quota: _Quota) -> float | None:
    try:
        answer = await aws.call("service-quotas", "get_service_quota", ServiceCode=quota.service, QuotaCode=quota.code)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchResourceException":  # the quota is the default
            raise
        answer = await aws.call(
            "service-quotas", "get_aws_default_service_quota", ServiceCode=quota.service, QuotaCode=quota.code
        )
    return float(answer["Quota"]["Value"])


def vcpus(template: Template) -> float:
    """The maximum vCPU of all tasks of the stack."""
    definitions = [
        int(template.value(each.properties.get("Cpu", 256))) for each in template.of_type("AWS::ECS::TaskDefinition")
    ]
    targets = template.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
    tasks = sum(int(template.value(each.properties.get("MaxCapacity", 1))) for each in targets)
    return _OVERLAP * tasks * max(definitions, default=256) / 1024


async def stack(settings: Settings, aws: Aws) -> tuple[bool, DoctorFinding]:
    """Whether the stack exists and can be used, and the finding."""
    name = settings.stack.name
    found = await stack_named(aws, name)
    if found is None:
        return False, ok("stack", f"{name} does not exist; a run creates and deletes it")
    of, status = tags.from_list(found.get("Tags")), found["StackStatus"]
    if of.get(tags.MARKER) != name:
        seen = f"{name} exists, and is not the kit's: it has no tag {tags.MARKER}"
        return False, fail("stack", seen, "choose another name: --set stack.name=…; the kit leaves this one alone")
    seen = f"{name} is {status}, of run {of.get(tags.RUN, '?')}, until {of.get(tags.EXPIRES, '?')}"
    if status not in USABLE:
        return False, fail("stack", seen, "wait for its end, or: kit janitor; kit destroy")
    if settings.live.reuse:
        return True, ok("stack", f"{seen}; it is used")
    return True, warn("stack", seen, "use it: --set live.reuse=true; or delete it: kit destroy, kit janitor")


async def leftovers(settings: Settings) -> Sequence[DoctorFinding]:
    async with janitor(settings) as sweeper:
        lines = await sweeper.sweep(act=False)
    findings = [
        warn(
            "leftovers",
            str(line),
            "look at it: kit janitor" if line.outcome is JanitorOutcome.DOUBTFUL else "kit janitor --yes",
        )
        for line in lines
        if line.outcome in (JanitorOutcome.LEFT, JanitorOutcome.DOUBTFUL)
    ]
    busy = [str(line) for line in lines if line.outcome in (JanitorOutcome.ALIVE, JanitorOutcome.KEPT)]
    if findings:
        return findings
    return [DoctorFinding(Level.OK, "leftovers", "; ".join(busy) if busy else "nothing is left of earlier runs")]


async def ledger(settings: Settings) -> Sequence[DoctorFinding]:
    """Checks write access to the nearest existing folder above the ledger."""
    wanted = (settings.report_dir / FOLDER).resolve()
    there = next(each for each in (wanted, *wanted.parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return [fail("ledger", f"{there} cannot be written to", "set report_dir to a folder that can")]
    return [ok("ledger", f"{wanted}")]
