"""The register of scenarios, and what a scenario needs."""

from __future__ import annotations

import pytest

from webordinary_testkit.kit.backends.capability import ALL, ECS_EXEC, MAIL_IN, Level, lacking
from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.scenarios.registry import Scenario, all_scenarios, scenario, select


async def body(h: Harness) -> None:
    return None


def test_the_scenarios_of_the_kit_are_found() -> None:
    assert {"email_to_preview", "cold_start"} <= {one.name for one in all_scenarios()}


def test_every_scenario_says_what_it_proves_and_needs_known_capabilities() -> None:
    for one in all_scenarios():
        assert one.proves
        assert set(one.needs) <= set(ALL)


def test_without_names_all_are_chosen_and_names_keep_their_order() -> None:
    assert select([]) == [one for one in all_scenarios() if not one.only_named]
    assert [one.name for one in select(["email_to_preview", "cold_start"])] == ["email_to_preview", "cold_start"]


def test_some_are_run_only_when_they_are_named() -> None:
    assert [one.name for one in select(["contract", "outage"])] == ["contract", "outage"]
    assert not {"contract", "outage"} & {one.name for one in select([])}
    assert select(["all"]) == all_scenarios()


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'cold_start'"):
        select(["coldstart"])


def test_a_name_is_given_once() -> None:
    with pytest.raises(UsageError, match="two scenarios"):
        scenario("cold_start", needs=(), proves="x")(body)


def test_what_is_absent_is_the_reason_to_skip_and_modelled_is_not_absent() -> None:
    one = Scenario("x", "y", (MAIL_IN, ECS_EXEC), body)
    assert one.skipped_because({MAIL_IN: Level.MODELLED, ECS_EXEC: Level.NATIVE}) is None
    assert one.skipped_because({MAIL_IN: Level.NATIVE, ECS_EXEC: Level.ABSENT}) == "this cloud has no ecs_exec"
    assert one.skipped_because({}) == "this cloud has no mail_in, ecs_exec"


def test_a_capability_that_does_not_exist_is_a_mistake_and_not_an_absence() -> None:
    with pytest.raises(ValueError, match="no such capability: teleport"):
        lacking({}, ["teleport"])
