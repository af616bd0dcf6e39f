"""The subject: what can be drawn, and how a mix of Webordinary begins and ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from ...backends import capability
from ...core.checkers import Checker, every_operation_ended
from ...core.errors import Failed
from ...harness.inbound import depth_of
from ...system.facts import EXPIRED, MOST_REPLIES, SERVICES
from ..checkers import CHECKERS
from ..mix import Action
from ..play import Play
from ..subject import FaultKind, Kind
from . import actions, looks
from .faults import FAULTS
from .threads import Threads

_WORK = (capability.LOAD_BALANCER, capability.ECS_EXEC, capability.SHARED_WORKSPACE)
_MAIL = (*_WORK, capability.MAIL_IN, capability.MAIL_REPLIES)

KINDS: Mapping[str, Kind] = {
    "mail": Kind(
        "sends a mail that adds page {label}; the agent works for {amount:g} s",
        opens=True,
        writes=True,
        can_run_on=True,
        amounts=(0.0, 0.0, 0.0, 20.0, 90.0),
        needs=_MAIL,
        weight=20,
    ),
    "open": Kind("asks by HTTP for page {label}", opens=True, writes=True, can_run_on=True, needs=_WORK, weight=8),
    "mail_into": Kind(
        "sends a mail that adds page {label} and quotes the conversation of {to}",
        opens=True,
        writes=True,
        can_run_on=True,
        refers=True,
        needs=_MAIL,
        weight=5,
    ),
    "open_into": Kind(
        "asks by HTTP for page {label} in the thread of {to}",
        opens=True,
        writes=True,
        can_run_on=True,
        refers=True,
        needs=_WORK,
        weight=5,
    ),
    "again": Kind("the last mail is delivered once more", needs=_MAIL, weight=5),
    "robot": Kind(
        "answers every reply by a mail, {amount:g} times", opens=True, writes=True, amounts=(25.0,), needs=_MAIL
    ),
    "keepalive": Kind("sends a keepalive", needs=_WORK, weight=5),
    "visit": Kind("looks at the preview", needs=_WORK, weight=8),
    "watch": Kind("opens a hot-reload socket and keeps it", needs=_WORK, weight=5),
    "end": Kind("ends the session", needs=_WORK, weight=8),
    "idle": Kind("does nothing for {amount:g} of the idle time", amounts=(0.5, 0.95, 1.05, 1.6), weight=8),
}


@dataclass
class Webordinary:
    """The reference system, and any that keeps its contract."""

    kinds: Mapping[str, Kind] = field(default_factory=lambda: KINDS)
    faults: Mapping[str, FaultKind] = field(default_factory=lambda: FAULTS)
    clients: Sequence[str] = ("acme", "acme", "acme", "beta", "Acme")
    users: Sequence[str] = ("john", "john@other", "ann", "John", "ann.lee")
    checkers: Sequence[Checker] = (every_operation_ended, *CHECKERS)

    async def begin(self, play: Play) -> None:
        play.state = Threads(play)
        h = play.h
        bounds = await h.capacity.bounds("edit")
        play.plan(
            {strand: play.state.project(strand) for strand in play.state},
            idle=float(h.stack.idle_seconds),
            max_tasks=bounds.highest,
            most_replies=MOST_REPLIES,
            reply_within=h.timeouts.wake + h.timeouts.recovery + h.timeouts.reply,
            shown_within=h.timeouts.container_ready + h.timeouts.recovery,
        )

    async def state(self, play: Play, strand: int) -> str:
        thread = threads_of(play)[strand]
        if thread.session is None:
            return "none"
        row = await play.h.session_row(thread.session)
        return row.status if row else "gone"

    async def perform(self, play: Play, strand: int, action: Action, label: str) -> None:
        await actions.ACTIONS[action.kind](play, threads_of(play), strand, action, label)

    async def observe(self, play: Play) -> None:
        await looks.everywhere(play, threads_of(play))

    async def end(self, play: Play) -> None:
        threads, h = threads_of(play), play.h
        async with AsyncExitStack() as closing:
            closing.push_async_callback(threads.close)
            await actions.wait_for_results(play, threads)
            await looks.everywhere(play, threads, workspaces=True)
            await self._end_sessions(play)
        within = h.timeouts.session_expiry + h.timeouts.scale_down + h.timeouts.recovery
        await _anyhow(h.sessions.wait_for_all_expired(list(threads.opened()), within=within))
        await _anyhow(h.inbound.wait_until_empty(within=h.timeouts.reply))
        if play.mix.to_zero:
            await _anyhow(h.services.wait_for_zero(SERVICES, within=h.timeouts.idle_shutdown))
        await h.mail.settle()
        await looks.rows(play, threads)
        looks.replies(play, threads)
        await self._quiet(play)

    async def clean(self, play: Play) -> None:
        await play.h.leftovers.drop_work()

    async def _end_sessions(self, play: Play) -> None:
        async with asyncio.TaskGroup() as group:
            for strand in threads_of(play):
                group.create_task(actions.end(play, threads_of(play), strand))

    async def _quiet(self, play: Play) -> None:
        h, threads = play.h, threads_of(play)
        inbound = await depth_of(h.aws, h.stack.inbound_queue_url)
        dead = await depth_of(h.aws, h.stack.dead_letter_queue_url)
        rows = [row for session in threads.opened() if (row := await h.session_row(session)) is not None]
        tasks = len(await h.services.tasks()) if play.mix.to_zero else 0
        play.note(
            "mix.quiet",
            {
                "tasks": tasks,
                "queued": inbound.visible + inbound.in_flight,
                "dead_letters": dead.visible + dead.in_flight,
                "open_sessions": sum(row.status != EXPIRED for row in rows),
                "locks": 0,
                "orphans": 0,
            },
        )


def threads_of(play: Play) -> Threads:
    threads: Threads = play.state
    return threads


async def _anyhow(wait: Awaitable[object]) -> None:
    """Wait; what did not come is recorded by the looks that follow."""
    with suppress(Failed):
        await wait
