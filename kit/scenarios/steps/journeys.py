"""The seed's seven steps from zero to a page and back to zero, for whichever way a session is opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from ...harness import Harness, phases
from ...harness.mail import SentMail
from ...harness.phases import Timeline
from ...harness.sessions import TestSession
from ...harness.together import together
from ...system import facts
from ...system.facts import ACTIVE_SESSIONS, EXPIRED, SERVICES

Entry = Literal["mail", "http"]


@dataclass(frozen=True)
class Opened:
    """A session on its way, with the page it was asked for."""

    session: TestSession
    title: str
    mail: SentMail | None
    journey: Timeline

    @property
    def slug(self) -> str:
        return facts.slug(self.title)


@asynccontextmanager
async def from_zero(h: Harness, entry: Entry, prefix: str = "") -> AsyncIterator[Opened]:
    """Steps 1 to 6: nothing runs, a session is opened, and its page is served and kept.

    The page stays open inside the block, so that the session does not go idle meanwhile.
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
    opened = Opened(session, title, mail, h.timeline)
    with h.step(f"{prefix}4 a container comes up from zero", target=h.timeouts.container_ready):
        await h.wait_for_container_ready(session)
    async with h.visiting(session):
        with h.step(f"{prefix}5 the preview shows the new page"):
            await h.wait_for_change(session, opened.slug, within=h.timeouts.container_ready)
            check_phases(h, phases.TASK_RUNNING, phases.TARGET_HEALTHY, h.timeouts.health)
            check_phases(h, phases.SESSION_ROW, phases.CHANGE_VISIBLE, h.timeouts.container_ready)
            check_since_asked(h, phases.CHANGE_VISIBLE, h.timeouts.wake + h.timeouts.container_ready)
        with h.step(f"{prefix}6 the file is on the shared workspace"):
            await h.verify_file_exists(facts.project_path(session.client_id, session.user_id, facts.page_file(title)))
        yield opened


async def back_to_zero(h: Harness, opened: Opened, prefix: str = "") -> None:
    """Step 7: nobody does anything any more, and nothing is left."""
    __tracebackhide__ = True
    idle_since = h.clock.now()
    with h.step(f"{prefix}7 idle, it goes back to zero by itself", target=h.timeouts.idle_shutdown):
        await h.wait_for_idle(opened.session, journey=opened.journey)
        await verify_zero(h, [opened.session], since=idle_since)
        stopped = reached(h, phases.ZERO_TASKS, opened.journey)
        h.check_within("the last activity to zero tasks", stopped - idle_since, h.timeouts.idle_shutdown)


async def start_at_zero(h: Harness) -> None:
    """Check that nothing runs yet."""
    __tracebackhide__ = True
    await together(h.verify_service_task_count(service, 0) for service in SERVICES)


async def verify_zero(h: Harness, sessions: Sequence[TestSession], *, since: float) -> None:
    """Check that nothing is left of these sessions, that the system itself said so after `since`, and nothing else."""
    __tracebackhide__ = True
    await h.services.wait_for_zero(SERVICES, within=h.timeouts.idle_shutdown)
    await together(
        [
            start_at_zero(h),
            *(h.verify_session_status(session, EXPIRED) for session in sessions),
            _said_zero(h, since),
            h.verify_no_orphans(),
        ]
    )


async def _said_zero(h: Harness, since: float) -> None:
    __tracebackhide__ = True
    await h.metrics.verify_published_zero(ACTIVE_SESSIONS, since=since, within=h.timeouts.scale_down)


def check_phases(h: Harness, begins: str, ends: str, target: float) -> None:
    """Check how long it took from one phase of the journey under way to another, AWS seconds. Both must have been seen:
    a target that nothing was held to would look as if it had been met."""
    __tracebackhide__ = True
    h.check_within(f"{begins} to {ends}", reached(h, ends) - reached(h, begins), target)


def check_since_asked(h: Harness, ends: str, target: float) -> None:
    """Check how long it took from the beginning of the journey under way, its mail or its first request, to a phase."""
    __tracebackhide__ = True
    by_mail = h.timeline.entry == "mail"
    began = reached(h, phases.MAIL_ACCEPTED) if by_mail else h.timeline.started
    h.check_within(
        f"{phases.MAIL_ACCEPTED if by_mail else 'first request'} to {ends}", reached(h, ends) - began, target
    )


def reached(h: Harness, phase: str, journey: Timeline | None = None) -> float:
    """The AWS time of a phase of `journey`, or of the one under way. Raises `CheckFailed` when nobody saw it."""
    __tracebackhide__ = True
    journey = journey or h.timeline
    at = journey.at(phase)
    if at is None:
        seen = [each.name for each in journey.phases]
        h.check(False, f"phase {phase!r} of this journey to have been seen: it is held to a target", seen=seen)
    assert at is not None
    return at
