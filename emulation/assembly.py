"""The whole cloud: every controller, and who is handed whom."""

from __future__ import annotations

from emulation.alb import Alb
from emulation.cloud import Ground, Parts
from emulation.cloudformation import Cloudformation
from emulation.consumption import Consumption
from emulation.dynamodb import OnDemand
from emulation.ecs import Ecs, ProcessRuntime
from emulation.faults import Faults
from emulation.mail import Mail
from emulation.network import Network
from emulation.pricing import Pricing
from emulation.queues import Queues
from emulation.quotas import Quotas
from emulation.scaling import Scaling
from emulation.storage import Storage
from emulation.sts import Sts
from emulation.tagging import Tagging


def everything(ground: Ground) -> Parts:
    """Started in this order and stopped in the reverse one: first what changes others, tasks before what they use."""
    context, config = ground.context, ground.config
    queues = Queues(context("queues"))
    storage = Storage(context("storage"))
    mail = Mail(context("mail"), config.smtp_port)
    alb = Alb(context("alb"))
    ecs = Ecs(context("ecs"), ProcessRuntime(config.programs, ground.guardian), storage)
    consumption = Consumption(context("consumption"))
    network = Network(context("network"), ground.dispatch, alb.links, ecs)
    on_demand = OnDemand(context("dynamodb"), ground.dispatch.interceptors)
    scaling = Scaling(context("scaling"), [queues, alb, ecs, consumption, on_demand])
    cloudformation = Cloudformation(context("cloudformation"))
    faults = Faults(context("faults"), ground.dispatch, alb.links, ecs)
    account = (Sts(context("sts")), Tagging(context("tagging")), Quotas(context("quotas")), Pricing(context("pricing")))
    return Parts(
        controllers=(
            queues,
            storage,
            mail,
            alb,
            network,
            ecs,
            consumption,
            on_demand,
            scaling,
            cloudformation,
            *account,
            faults,
        ),
        facts=lambda: {"smtp": mail.smtp_address},
    )
