"""Properties of sessions: whatever mix of them is drawn, the checkers of its history pass."""

from __future__ import annotations

from hypothesis import HealthCheck, event, given, settings

from webordinary_testkit.kit.mixes import Mix, Space, mixes
from webordinary_testkit.kit.mixes.performance import Stage
from webordinary_testkit.kit.mixes.strategies import events_of

REAL = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=25)
"""Each example runs on a cloud, so there are few of them."""


@REAL
@given(mix=mixes())
def test_sessions_are_isolated(kit_stage: Stage, mix: Mix) -> None:
    for what in events_of(mix):
        event(what)
    kit_stage.check(mix)


@REAL
@given(mix=mixes(space=Space(strands=3, actions=4, faults=1)))
def test_sessions_are_isolated_while_things_break(kit_stage: Stage, mix: Mix) -> None:
    for what in events_of(mix):
        event(what)
    kit_stage.check(mix)
