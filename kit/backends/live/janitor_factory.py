"""A janitor for the account that the settings lead to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ...aws.client import Aws
from ...core.history import History
from ...core.threads import Threads
from ...settings import Settings
from . import account
from .backend import access_of, clock_of
from .cleanup import Tell
from .guard import Guard
from .inventory import Ground
from .janitor import Janitor
from .ledger import ledgers
from .ownership import Books
from .rates import Rates


@asynccontextmanager
async def janitor(settings: Settings, tell: Tell | None = None) -> AsyncIterator[Janitor]:
    """Raises `Refused` when the credentials are of another account than the settings expect."""
    clock, threads = clock_of(settings), Threads()
    rates, history = Rates(clock), History(clock)
    made: list[Aws] = []

    def guarded(stack: str) -> tuple[Aws, Guard]:
        guard = Guard(settings.account, stack, settings.production)
        aws = Aws(access_of(settings), threads, history, gate=guard, pace=rates)
        made.append(aws)
        guard.verify_account(who)
        guard.refuse_production([stack])
        return aws, guard

    # A guard that was told nothing lets looks pass, and nothing else.
    looking = Aws(
        access_of(settings), threads, history, gate=Guard(settings.account, "", settings.production), pace=rates
    )
    made.append(looking)
    try:
        who = await account.identity(looking)
        Guard(settings.account, "", settings.production).verify_account(who)
        ground = Ground(looking, settings.region, settings.account, str(who["Arn"]).split(":")[1])
        books = Books(
            [
                ledger
                for ledger in ledgers(settings.report_dir, clock)
                if (ledger.header.account, ledger.header.region) == (settings.account, settings.region)
            ],
            clock.now(),
        )
        yield Janitor(ground, clock, books, guarded, within=settings.timeouts.deploy, tell=tell)
    finally:
        for aws in made:
            aws.close()
        threads.close()
