"""Checks what a live run needs; only reads AWS."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ..aws.client import Aws
from ..aws.template import Template
from ..backends.live import account
from ..backends.live.account import access_of, clock_of, endpoint
from ..backends.live.guard import Guard
from ..backends.live.rates import RateLimiter
from ..backends.live.stack import StackPlan, plan_stack
from ..core.errors import KitError
from ..core.history import History
from ..core.threads import BlockingPool
from ..settings import Settings
from . import access, account_state, images, mail
from .finding import Check, DoctorFinding, fail, ok


@asynccontextmanager
async def checks(settings: Settings) -> AsyncIterator[Sequence[Check]]:
    """All checks; without a responding account, only those that need none."""
    clock, threads = clock_of(settings), BlockingPool()
    guard = Guard(settings.account, settings.stack.name, settings.production)  # unverified: it permits reads only
    aws = Aws(access_of(settings), threads, History(clock), gate=guard, pace=RateLimiter(clock))
    try:
        wanted, refused = _planned(settings)
        found: list[Check] = [
            ("settings", lambda: _settings(settings, wanted, refused)),
            ("credentials", lambda: access.credentials(settings, aws, clock)),
            ("region", lambda: access.region(settings)),
            ("ledger", lambda: account_state.ledger(settings)),
        ]
        try:
            who = await account.identity(aws)
        except KitError as error:
            refusal = error
            found.append(("account", lambda: _raise(refusal)))
            yield found
            return
        found.append(("account", lambda: access.account(settings, aws, who)))
        found.append(("clock", lambda: access.skew(aws, clock)))
        if who["Account"] != settings.account:  # findings of another account mean nothing
            yield found
            return
        yield [
            *found,
            ("mail domain", lambda: mail.identity(settings, aws)),
            ("sending", lambda: mail.sending(settings, aws)),
            ("receipt rules", lambda: mail.rule_set(settings, aws)),
            ("MX", lambda: mail.mx(settings, endpoint())),
            ("certificate", lambda: mail.certificate(settings, aws, clock)),
            ("host name", lambda: mail.host_name(settings)),
            *([("images", lambda: _images(settings, aws, threads, wanted))] if wanted is not None else []),
            ("stack", lambda: _stack(settings, aws, wanted)),
            ("leftovers", lambda: account_state.leftovers(settings)),
        ]
    finally:
        aws.close()
        threads.close()


def _planned(settings: Settings) -> tuple[StackPlan | None, KitError | None]:
    try:
        wanted = plan_stack(settings)
        guard = Guard(settings.account, settings.stack.name, settings.production)
        guard.refuse_production([settings.stack.name, *wanted.names, *wanted.parameters.values()])
    except KitError as error:
        return None, error
    return wanted, None


async def _settings(settings: Settings, wanted: StackPlan | None, refused: KitError | None) -> Sequence[DoctorFinding]:
    if refused is not None:
        return [fail("settings", refused.what, refused.next)]
    assert wanted is not None
    return [
        ok("settings", f"stack {settings.stack.name}, {len(wanted.images)} images, budget ${settings.live.budget:g}")
    ]


async def _images(
    settings: Settings, aws: Aws, threads: BlockingPool, wanted: StackPlan | None
) -> Sequence[DoctorFinding]:
    assert wanted is not None
    template = Template.read(wanted.template, wanted.parameters)
    kinds = {
        template.value(each.properties.get("RuntimePlatform", {}).get("CpuArchitecture", "X86_64"))
        for each in template.of_type("AWS::ECS::TaskDefinition")
    }
    return await images.images(settings, aws, threads, wanted, str(min(kinds, default="X86_64")))


async def _stack(settings: Settings, aws: Aws, wanted: StackPlan | None) -> Sequence[DoctorFinding]:
    there, finding = await account_state.stack(settings, aws)
    if wanted is None:
        return [finding]
    template = Template.read(wanted.template, wanted.parameters)
    return [finding, *await account_state.quotas(aws, template, deployed=there)]


async def _raise(error: KitError) -> Sequence[DoctorFinding]:
    raise error
