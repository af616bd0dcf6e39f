"""Builds all controllers and connects them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .cloud import CloudParts, Wiring
from .faults import Faults
from .services import dynamodb, logs, sns
from .services.application_autoscaling import ApplicationAutoScaling
from .services.cloudformation import Cloudformation
from .services.cloudwatch import Cloudwatch
from .services.ec2 import Network
from .services.ecs import Ecs, ForkServer, ProcessRuntime
from .services.efs import Storage
from .services.elbv2 import Alb
from .services.fis import Fis
from .services.lambda_ import Lambda
from .services.lambda_.process import Launcher
from .services.lambda_.runtimes import PYTHON
from .services.pricing import Pricing
from .services.service_quotas import Quotas
from .services.ses import Ses
from .services.sqs import Sqs
from .services.sts import Sts
from .services.tagging import Tagging

LATE_DELIVERIES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.2)
"""Wall seconds. A state store in another process delivers messages late, and counts delays in whole seconds."""

if TYPE_CHECKING:
    from .config import CloudConfig
    from .services.ecs.docker import DockerHost


def everything(parts: CloudParts) -> Wiring:
    """Stopped in reverse order: what changes others first, and tasks before what they use."""
    context, config = parts.context, parts.config
    late = () if config.base == "moto" else LATE_DELIVERIES
    sqs = Sqs(context("sqs"), late)
    engine = _engine(parts)
    storage = Storage(context("storage"), engine.volumes if engine else None)
    ses = Ses(context("ses"), config.smtp_port)
    alb = Alb(context("elbv2"), parts.addressing)
    forks = ForkServer((*config.warm, PYTHON), context("programs").log) if _can_fork(config) else None
    runtime = (
        engine.runtime if engine else ProcessRuntime(config.programs, parts.guardian, parts.context("ecs").clock, forks)
    )
    ecs = Ecs(context("ecs"), runtime, storage)
    functions = Lambda(context("lambda"), Launcher(parts.guardian, forks), parts.dispatch.interceptors)
    metering = (dynamodb.Metering(context("dynamodb")), sns.Metering(), logs.Metering())
    network = Network(context("network"), parts.dispatch, alb.links, ecs)
    on_demand = dynamodb.OnDemandThroughput(context("dynamodb"), parts.dispatch.interceptors)
    cloudwatch = Cloudwatch(context("cloudwatch"), [sqs, alb, ecs, *metering, on_demand])
    scaling = ApplicationAutoScaling(context("application-autoscaling"), cloudwatch)
    cloudformation = Cloudformation(context("cloudformation"))
    faults = Faults(context("faults"), parts.dispatch, alb.links, ecs, storage)
    fis = Fis(context("fis"), network)
    account = (Sts(context("sts")), Tagging(context("tagging")), Quotas(context("quotas")), Pricing(context("pricing")))
    return Wiring(
        controllers=(
            *(each for each in (engine, forks) if each),
            sqs,
            storage,
            ses,
            alb,
            network,
            ecs,
            functions,
            *metering,
            on_demand,
            cloudwatch,
            scaling,
            cloudformation,
            *account,
            fis,
            faults,
        ),
        facts=lambda: {"smtp": ses.smtp_address},
        regional=lambda region: [
            Sqs(context("sqs", region), late),
            dynamodb.OnDemandThroughput(context("dynamodb", region), parts.dispatch.interceptors),
        ],
    )


def _can_fork(config: CloudConfig) -> bool:
    """Whether programs are forked; on macOS a fork without an `exec` is not safe."""
    return bool(config.warm) and config.runtime == "process" and sys.platform == "linux"


def _engine(parts: CloudParts) -> DockerHost | None:
    """The container engine, where tasks are containers."""
    if parts.config.runtime != "docker":
        return None
    from .services.ecs.docker import DockerHost  # noqa: PLC0415 - its client is heavy, and most runs need none

    context, gateway = parts.context("engine"), parts.gateway
    config = parts.config
    return DockerHost(
        context,
        parts.guardian,
        parts.addressing,
        config.images,
        listen=gateway.listen_on_bridge,
        volume_mib=config.volume_mib,
    )
