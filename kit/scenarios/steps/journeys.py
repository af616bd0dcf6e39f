"""The seed's seven steps from zero to a page and back to zero, by mail or by HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from ...harness import Harness, phases
from ...harness.mail import SentMail
from ...harness.phases import Timeline
from ...harness.sessions import TestSession
from ...system import facts
from ...system.facts import ACTIVE_SESSIONS, EXPIRED, SERVICES

Entry = Literal["mail", "http"]


@dataclass(frozen=True)
class Journey:
    """An opened session with its page and its phases."""

    session: TestSession
    title: str
    mail: SentMail | None
    timeline: Timeline

    @property
    def slug(self) -> str:
        return facts.slug(self.title)


@asynccontextmanager
async def from_zero(h: Harness, entry: Entry, prefix: str = "") -> AsyncIterator[Journey]:
    """Steps 1 to 6: nothing runs, a session is opened, and its page is served and stored.

    The page stays open inside the block, so that the session does not go idle.
    """
    __tracebackhide__ = True
    marker = h.new_marker()
    title = f"Test Page {marker}"
    with h.step(f"{prefix}1 both services start at zero tasks"):
        await start_at_zero(h)
    h.journey(entry)
    with h.step(f"{prefix}2 a session is asked for by {entry.upper() if entry == 'http' else entry}"):
        mail = None
        if entry == "mail":
            mail = await h.send_mail(facts.add_page(title), marker=marker)
        else:
            session = await h.create_test_session(facts.add_page(title), marker=marker)
    with h.step(f"{prefix}3 the session is in DynamoDB"):
        if mail is not None:
            session = await h.wait_for_session(mail)
        await h.verify_session_exists(session)
    journey = Journey(session, title, mail, h.timeline)
    with h.step(f"{prefix}4 a container comes up from zero", target=h.timeouts.container_ready):
        await h.wait_for_container_ready(session)
    async with h.visiting(session):
        with h.step(f"{prefix}5 the preview shows the new page"):
            await h.wait_for_change(session, journey.slug, within=h.timeouts.container_ready)
            check_phases(h, phases.TASK_RUNNING, phases.TARGET_HEALTHY, h.timeouts.health)
            check_phases(h, phases.SESSION_ROW, phases.CHANGE_VISIBLE, h.timeouts.container_ready)
            check_since_asked(h, phases.CHANGE_VISIBLE, h.timeouts.wake + h.timeouts.container_ready)
        with h.step(f"{prefix}6 the file is on the shared workspace"):
            await h.verify_file_exists(session.path(facts.page_file(title)))
        yield journey


async def back_to_zero(h: Harness, journey: Journey, prefix: str = "") -> None:
    """Step 7: without further activity, everything stops and nothing is left."""
    __tracebackhide__ = True
    idle_since = h.clock.now()
    with h.step(f"{prefix}7 idle, it goes back to zero by itself", target=h.timeouts.idle_shutdown):
        await h.wait_for_idle(journey.session, journey=journey.timeline)
        await verify_zero(h, [journey.session], since=idle_since)
        stopped = reached(h, phases.ZERO_TASKS, journey.timeline)
        h.check_within("the last activity to zero tasks", stopped - idle_since, h.timeouts.idle_shutdown)


async def start_at_zero(h: Harness) -> None:
    """Check that both services have no task."""
    __tracebackhide__ = True
    for service in SERVICES:
        await h.verify_service_task_count(service, 0)


async def end_at_zero(h: Harness, *sessions: TestSession) -> None:
    """End the sessions and check that everything goes back to zero."""
    __tracebackhide__ = True
    since = h.clock.now()
    for session in sessions:
        await h.session_api.end(session)
    await verify_zero(h, sessions, since=since)


async def verify_zero(h: Harness, sessions: Sequence[TestSession], *, since: float) -> None:
    """Check that the sessions are expired, no task or orphan is left, and a zero was published after `since`."""
    __tracebackhide__ = True
    await h.services.wait_for_zero(SERVICES, within=h.timeouts.idle_shutdown)
    await start_at_zero(h)
    for session in sessions:
        await h.verify_session_status(session, EXPIRED)
    await h.metrics.verify_published_zero(ACTIVE_SESSIONS, since=since, within=h.timeouts.scale_down)
    await h.verify_no_orphans()


def check_phases(h: Harness, begins: str, ends: str, target: float) -> None:
    """Check the AWS seconds between two phases of the current journey; fails if one was not observed."""
    __tracebackhide__ = True
    h.check_within(f"{begins} to {ends}", reached(h, ends) - reached(h, begins), target)


def check_since_asked(h: Harness, ends: str, target: float) -> None:
    """Check the AWS seconds from the journey's mail or first request to a phase."""
    __tracebackhide__ = True
    by_mail = h.timeline.entry == "mail"
    began = reached(h, phases.MAIL_ACCEPTED) if by_mail else h.timeline.started
    h.check_within(
        f"{phases.MAIL_ACCEPTED if by_mail else 'first request'} to {ends}", reached(h, ends) - began, target
    )


def reached(h: Harness, phase: str, journey: Timeline | None = None) -> float:
    """The AWS time of a phase of `journey`, by default the current one. Raises `CheckFailed` if it was not observed."""
    __tracebackhide__ = True
    journey = journey or h.timeline
    at = journey.at(phase)
    if at is None:
        seen = [each.name for each in journey.phases]
        h.check(False, f"phase {phase!r} of this journey to have been seen: it has a target", seen=seen)
    assert at is not None
    return at
