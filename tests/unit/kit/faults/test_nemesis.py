"""The nemesis: what a block of a fault does in which order, and what comes of it in history, verdict and report."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from tests.support.kit import ManualClock, a_cloud, a_run
from tests.unit.kit.runner.test_execute import quiet_aws
from webordinary_testkit.kit.backends.capability import FAULT_API
from webordinary_testkit.kit.core.checkers import every_fault_showed
from webordinary_testkit.kit.core.errors import CheckFailed, InfraError, UsageError
from webordinary_testkit.kit.core.history import INFO, OK
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.faults import Effect, EffectNotSeen, Observation, Visibility
from webordinary_testkit.kit.faults import nemesis as nemesis_module
from webordinary_testkit.kit.faults.context import FaultContext
from webordinary_testkit.kit.faults.nemesis import Injection, Nemesis
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.runner.execute import execute
from webordinary_testkit.kit.runner.outcome import Outcome
from webordinary_testkit.kit.scenarios.registry import Scenario


@dataclass
class Scripted:
    """What a fault of the test does; and what was done to it."""

    shows_after: int | None = 0
    """At which look its effect is seen; never when None."""
    undo_fails: int = 0
    """How many times undoing it fails."""
    refuses: bool = False
    slow: asyncio.Event | None = None
    """Set when the injection may come to its end."""
    log: list[str] = field(default_factory=list)

    async def verify(self) -> Observation:
        self.log.append("look")
        looks = self.log.count("look")
        effective = self.shows_after is not None and looks > self.shows_after
        return Observation(effective, f"look {looks}")

    async def undo(self) -> None:
        self.log.append("undo")
        if self.undo_fails:
            self.undo_fails -= 1
            raise InfraError("the cloud does not listen")

    async def counts(self) -> Mapping[str, int]:
        return {"looks": self.log.count("look")}


@dataclass(frozen=True)
class AtOnce:
    script: Scripted = field(compare=False)

    needs: ClassVar[tuple[str, ...]] = (FAULT_API,)
    visibility: ClassVar[Visibility] = Visibility.AT_ONCE
    within: ClassVar[float] = 5.0

    @property
    def target(self) -> str:
        return "something"

    async def inject(self, context: FaultContext) -> Effect:
        if self.script.refuses:
            raise UsageError("there is no something")
        if self.script.slow is not None:
            await self.script.slow.wait()
        self.script.log.append("inject")
        return self.script


@dataclass(frozen=True)
class ByUse(AtOnce):
    visibility: ClassVar[Visibility] = Visibility.BY_USE


class Judged:
    """A scenario with one fault, run to its verdict."""

    def __init__(self, fault: AtOnce, *, fails: bool = False, wait: bool | None = None) -> None:
        self.fault = fault
        self.fails = fails
        self.wait = wait

    async def body(self, h: Harness) -> None:
        h.check(True, "the sky to be blue")
        async with h.fault(self.fault, wait=self.wait):
            self.fault.script.log.append("body")
            h.check(not self.fails, "the system to hold")
        self.fault.script.log.append("after")

    async def run(self) -> Outcome:
        self.ground = a_run(a_cloud(quiet_aws(), ManualClock(scale=60)))
        return await execute(Scenario("x", "y", (), self.body), self.ground)

    def steps(self) -> list[tuple[str, str]]:
        """(operation, how it ended) of the nemesis."""
        events = self.ground.history.events("x")
        return [(each.name, each.type) for each in events if each.caller == "nemesis" and each.type != "invoke"]


class TestTheDeadline:
    async def test_a_block_that_outlasts_it_loses_its_fault_and_is_unknown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(nemesis_module, "DEADLINE", 0.6)
        script, judged = Scripted(), Judged(AtOnce(Scripted()))

        async def body(h: Harness) -> None:
            async with h.fault(AtOnce(script)) as injected:
                h.check(True, "the sky to be blue")
                while not injected.undone:  # noqa: ASYNC110 - what is tested is that nobody need ask for it
                    await asyncio.sleep(0.01)

        judged.body = body  # type: ignore[method-assign]
        outcome = await judged.run()

        assert script.log == ["inject", "look", "undo"]
        assert outcome.verdict is Verdict.UNKNOWN
        assert "undone at its deadline of 0.6 AWS s" in outcome.message
        assert outcome.faults[0].to_json()["overdue"] is True

    async def test_within_it_nothing_is_said_of_it(self) -> None:
        outcome = await Judged(AtOnce(Scripted())).run()

        assert outcome.verdict is Verdict.PASS
        assert "overdue" not in outcome.faults[0].to_json()


class TestTheOrder:
    async def test_an_effect_that_shows_at_once_is_awaited_before_the_body(self) -> None:
        script = Scripted(shows_after=2)
        await Judged(AtOnce(script)).run()

        assert script.log == ["inject", "look", "look", "look", "body", "undo", "after"]

    async def test_an_effect_that_shows_by_use_is_looked_for_after_the_body(self) -> None:
        script = Scripted(shows_after=1)
        await Judged(ByUse(script)).run()

        assert script.log == ["inject", "body", "look", "look", "undo", "after"]

    async def test_waiting_can_be_left_to_the_end(self) -> None:
        script = Scripted()
        await Judged(AtOnce(script), wait=False).run()

        assert script.log == ["inject", "body", "look", "undo", "after"]

    async def test_a_body_that_fails_gets_one_last_look_and_no_more(self) -> None:
        script = Scripted(shows_after=5)
        await Judged(ByUse(script), fails=True).run()

        assert script.log == ["inject", "body", "look", "undo"]

    async def test_what_was_refused_is_neither_looked_at_nor_undone(self) -> None:
        script = Scripted(refuses=True)
        outcome = await Judged(AtOnce(script)).run()

        assert script.log == []
        assert (outcome.verdict, outcome.message) == (Verdict.UNKNOWN, "there is no something")


class TestTheVerdict:
    async def test_a_fault_that_showed_leaves_the_verdict_to_the_scenario(self) -> None:
        assert (await Judged(AtOnce(Scripted())).run()).verdict is Verdict.PASS
        assert (await Judged(ByUse(Scripted())).run()).verdict is Verdict.PASS

    async def test_a_fault_that_never_showed_by_use_makes_it_unknown_though_every_check_held(self) -> None:
        outcome = await Judged(ByUse(Scripted(shows_after=None))).run()

        assert outcome.verdict is Verdict.UNKNOWN
        assert outcome.message == ("no effect was seen of ByUse of something: what it should cause was not tested")

    async def test_a_fault_that_does_not_show_at_once_ends_the_scenario_before_the_body(self) -> None:
        script = Scripted(shows_after=None)
        outcome = await Judged(AtOnce(script), fails=True).run()

        assert "body" not in script.log
        assert script.log[-1] == "undo"
        assert outcome.verdict is Verdict.UNKNOWN
        assert "AtOnce of something had no visible effect within 5 AWS s: look" in outcome.message

    async def test_the_system_failing_under_an_unseen_fault_is_a_fail_that_says_both(self) -> None:
        outcome = await Judged(ByUse(Scripted(shows_after=None)), fails=True).run()

        assert outcome.verdict is Verdict.FAIL
        assert "expected: the system to hold" in outcome.message
        assert "no effect was seen of ByUse of something" in outcome.message

    async def test_an_undo_that_fails_once_is_tried_again(self) -> None:
        script = Scripted(undo_fails=1)
        outcome = await Judged(AtOnce(script), fails=True).run()

        assert script.log[-2:] == ["undo", "undo"]
        assert outcome.verdict is Verdict.FAIL  # and what failed first is not hidden by it
        assert outcome.faults[0].undone

    async def test_an_undo_that_keeps_failing_is_infra(self) -> None:
        outcome = await Judged(AtOnce(Scripted(undo_fails=99))).run()

        assert outcome.verdict is Verdict.INFRA
        assert "the cloud does not listen" in outcome.message
        assert not outcome.faults[0].undone

    async def test_a_look_that_crashes_is_no_effect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = Scripted()

        async def crash() -> Observation:
            raise OSError("no way through")

        monkeypatch.setattr(script, "verify", crash)
        outcome = await Judged(ByUse(script)).run()

        assert outcome.verdict is Verdict.UNKNOWN
        assert outcome.faults[0].seen == "could not look: OSError: no way through"


class TestTheHistory:
    async def test_has_every_step_of_the_nemesis(self) -> None:
        judged = Judged(AtOnce(Scripted()))
        await judged.run()

        assert judged.steps() == [("nemesis.inject", OK), ("nemesis.verify", OK), ("nemesis.undo", OK)]

    async def test_says_that_an_effect_was_not_seen(self) -> None:
        judged = Judged(ByUse(Scripted(shows_after=None)))
        await judged.run()

        assert judged.steps() == [("nemesis.inject", OK), ("nemesis.verify", INFO), ("nemesis.undo", OK)]

    async def test_is_all_the_checker_needs(self) -> None:
        seen, unseen = Judged(ByUse(Scripted())), Judged(ByUse(Scripted(shows_after=None)))
        await seen.run()
        await unseen.run()

        assert every_fault_showed(seen.ground.history.events("x")).verdict is Verdict.PASS
        assert every_fault_showed(unseen.ground.history.events("x")).verdict is Verdict.UNKNOWN

    async def test_an_effect_seen_at_the_second_look_was_seen(self) -> None:
        script = Scripted(shows_after=1)

        async def body(h: Harness) -> None:
            h.check(True, "the sky to be blue")
            async with h.fault(ByUse(script)) as effect:
                await effect.conclude(None)
                await effect.conclude(None)

        outcome = await execute(Scenario("x", "y", (), body), a_run(a_cloud(quiet_aws(), ManualClock(scale=60))))

        assert outcome.verdict is Verdict.PASS


class TestTheReport:
    async def test_shows_each_fault_with_what_was_seen_of_it(self) -> None:
        outcome = await Judged(ByUse(Scripted(shows_after=1))).run()

        (fault,) = outcome.to_json()["faults"]
        assert fault["fault"] == "ByUse"
        assert (fault["verified"], fault["seen"], fault["undone"]) == (True, "look 2", True)
        assert fault["counts"] == {"looks": 2}
        assert fault["at"].startswith("20")

    async def test_shows_an_unverified_fault_as_such(self) -> None:
        outcome = await Judged(ByUse(Scripted(shows_after=None))).run()

        (fault,) = outcome.to_json()["faults"]
        assert (fault["verified"], fault["undone"]) == (False, True)

    async def test_says_nothing_of_faults_where_there_were_none(self) -> None:
        async def body(h: Harness) -> None:
            h.check(True, "the sky to be blue")

        outcome = await execute(Scenario("x", "y", (), body), a_run(a_cloud(quiet_aws(), ManualClock(scale=60))))

        assert "faults" not in outcome.to_json()


@pytest.fixture
def nemesis() -> Nemesis:
    ground = a_run(a_cloud())
    context = FaultContext(ground.cloud.aws, None, ground.cloud.clock, ground.ids, None)  # type: ignore[arg-type]  # not used here
    return Nemesis(context, ground.history, ground.cloud.capabilities)


class TestCancellation:
    async def test_during_the_injection_undoes_what_it_came_to(self, nemesis: Nemesis) -> None:
        script = Scripted(slow=asyncio.Event())

        async def suffer() -> None:
            async with nemesis.fault(ByUse(script)):
                raise AssertionError("never reached")

        suffering = asyncio.create_task(suffer())
        await asyncio.sleep(0)
        suffering.cancel()
        await asyncio.wait({suffering}, timeout=0.05)
        assert not suffering.done()  # it waits for what it has begun
        assert script.slow is not None
        script.slow.set()
        with pytest.raises(asyncio.CancelledError):
            await suffering

        assert script.log == ["inject", "undo"]

    async def test_undoes_at_once_without_a_look(self, nemesis: Nemesis) -> None:
        script = Scripted()
        inside = asyncio.Event()

        async def suffer() -> None:
            async with nemesis.fault(ByUse(script)):
                inside.set()
                await asyncio.Event().wait()

        suffering = asyncio.create_task(suffer())
        await inside.wait()
        suffering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await suffering

        assert script.log == ["inject", "undo"]

    async def test_a_fault_left_in_a_forgotten_task_is_undone_at_the_end_of_the_scenario(self) -> None:
        script = Scripted()
        forgotten: list[asyncio.Task[Any]] = []

        async def body(h: Harness) -> None:
            inside = asyncio.Event()

            async def suffer() -> None:
                async with h.fault(ByUse(script)):
                    inside.set()
                    await asyncio.Event().wait()

            forgotten.append(asyncio.create_task(suffer()))
            await inside.wait()
            h.check(True, "the sky to be blue")

        outcome = await execute(Scenario("x", "y", (), body), a_run(a_cloud(quiet_aws(), ManualClock(scale=60))))
        forgotten[0].cancel()
        await asyncio.gather(*forgotten, return_exceptions=True)

        assert script.log == ["inject", "undo"]
        assert outcome.faults[0].undone


class TestTheHandle:
    async def test_waits_for_the_effect_when_asked(self, nemesis: Nemesis) -> None:
        script = Scripted(shows_after=3)
        async with nemesis.fault(ByUse(script)) as effect:
            assert await effect.until_seen() == "look 4"
            assert effect.verified

    async def test_undone_early_it_must_have_shown_by_then(self, nemesis: Nemesis) -> None:
        script = Scripted(shows_after=1)
        async with nemesis.fault(ByUse(script)) as effect:
            await effect.undo()

        assert script.log == ["inject", "look", "undo"]
        assert not effect.verified

    async def test_an_effect_that_was_not_seen_is_told_with_the_faults_own_settings(self, nemesis: Nemesis) -> None:
        with pytest.raises(EffectNotSeen) as unseen:
            async with nemesis.fault(AtOnce(Scripted(shows_after=None))):
                pass

        assert "where: AtOnce(script=" in str(unseen.value)

    async def test_knows_when_it_was_injected(self, nemesis: Nemesis) -> None:
        async with nemesis.fault(ByUse(Scripted())) as effect:
            assert isinstance(effect, Injection)
            assert effect.at == ManualClock().now()

    async def test_the_bodys_own_exception_comes_out_as_it_was(self, nemesis: Nemesis) -> None:
        with pytest.raises(CheckFailed, match="as it was"):
            async with nemesis.fault(ByUse(Scripted(undo_fails=1))):
                raise CheckFailed("as it was")
