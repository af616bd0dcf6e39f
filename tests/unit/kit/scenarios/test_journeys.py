"""Targets of a journey, between observed phases and for the whole journey."""

from __future__ import annotations

import pytest

from tests.support.kit import START, ManualClock, a_context
from webordinary_testkit.kit.core.errors import CheckFailed
from webordinary_testkit.kit.harness import Harness, phases
from webordinary_testkit.kit.harness.checks import Checks
from webordinary_testkit.kit.harness.mail import Mailbox
from webordinary_testkit.kit.harness.steps import Steps
from webordinary_testkit.kit.scenarios.steps.journeys import check_phases, check_since_asked, reached


def harness(entry: str = "mail", **seen: float) -> Harness:
    """In real time, with phases seen so many seconds after the start."""
    context = a_context(clock=ManualClock(scale=1))
    h = Harness(context, Mailbox(), Steps(context.clock, Checks(context.history)))
    h.journey(entry)
    for name, at in seen.items():
        h.timeline.mark(name.replace("_", " "), "test", at=START + at)
    return h


def test_from_one_phase_to_another_there_is_a_target() -> None:
    h = harness(session_row=10, change_visible=69)
    check_phases(h, phases.SESSION_ROW, phases.CHANGE_VISIBLE, 60)
    with pytest.raises(CheckFailed, match=r"session row to change visible within 58 AWS s\nseen: 59.0 AWS s"):
        check_phases(h, phases.SESSION_ROW, phases.CHANGE_VISIBLE, 58)


@pytest.mark.parametrize("missing", [phases.SESSION_ROW, phases.CHANGE_VISIBLE])
def test_a_target_for_an_unobserved_phase_fails(missing: str) -> None:
    there = ({phases.SESSION_ROW, phases.CHANGE_VISIBLE} - {missing}).pop()
    h = harness(**{there.replace(" ", "_"): 1})
    with pytest.raises(CheckFailed, match=f"phase '{missing}' of this journey to have been seen.*\\nseen: {there}"):
        check_phases(h, phases.SESSION_ROW, phases.CHANGE_VISIBLE, 60)


def test_the_whole_way_of_a_mail_begins_when_it_was_accepted() -> None:
    h = harness("mail", mail_accepted=1, session_row=200, change_visible=299)
    check_since_asked(h, phases.CHANGE_VISIBLE, 298)
    with pytest.raises(CheckFailed, match=r"mail accepted to change visible within 297 AWS s\nseen: 298.0 AWS s"):
        check_since_asked(h, phases.CHANGE_VISIBLE, 297)


def test_the_whole_way_of_a_request_begins_with_the_first_one() -> None:
    h = harness("http", session_accepted=240, change_visible=299)
    check_since_asked(h, phases.CHANGE_VISIBLE, 299)
    with pytest.raises(CheckFailed, match="first request to change visible within 298 AWS s"):
        check_since_asked(h, phases.CHANGE_VISIBLE, 298)


def test_an_earlier_journey_is_asked_for_its_own_phases() -> None:
    h = harness(zero_tasks=5)
    first = h.timeline
    h.journey("warm")
    assert reached(h, phases.ZERO_TASKS, first) == START + 5
    with pytest.raises(CheckFailed, match="phase 'zero tasks'"):
        reached(h, phases.ZERO_TASKS)
