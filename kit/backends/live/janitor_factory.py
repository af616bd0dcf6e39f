"""Creates a janitor for the account in the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...aws.client import Aws
from ...aws.deploy import Tell
from ...core.history import History
from ...core.threads import BlockingPool
from ...settings import Settings
from .account import access_of, clock_of, identity
from .guard import Guard
from .inventory import AwsAccount
from .janitor import Janitor
from .ledger import ledgers
from .ownership import RunRecords
from .rates import RateLimiter


@asynccontextmanager
async def janitor(settings: Settings, tell: Tell | None = None) -> AsyncIterator[Janitor]:
    """Raises `Refused` when the credentials belong to another account than the settings expect."""
    clock, threads = clock_of(settings), BlockingPool()
    limiter, history = RateLimiter(clock), History(clock)
    clients: list[Aws] = []

    def client(guard: Guard) -> Aws:
        aws = Aws(access_of(settings), threads, history, gate=guard, pace=limiter)
        clients.append(aws)
        return aws

    def guarded(stack: str) -> tuple[Aws, Guard]:
        guard = Guard(settings.account, stack, settings.production)
        aws = client(guard)
        guard.verify_account(who)
        guard.refuse_production([stack])
        return aws, guard

    # A guard without a verified account permits reads only.
    reader = client(Guard(settings.account, "", settings.production))
    try:
        who = await identity(reader)
        Guard(settings.account, "", settings.production).verify_account(who)
        account = AwsAccount(reader, settings.region, settings.account, str(who["Arn"]).split(":")[1])
        of_account = [
            ledger
            for ledger in ledgers(settings.report_dir, clock)
            if (ledger.header.account, ledger.header.region) == (settings.account, settings.region)
        ]
        records = RunRecords(of_account, clock.now())
        yield Janitor(account, clock, records, guarded, within=settings.timeouts.deploy, tell=tell)
    finally:
        for aws in clients:
            aws.close()
        threads.close()
