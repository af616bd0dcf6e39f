"""Idle sessions expire, one by one, and the numbers that scale the services are told, zero included."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.hermes import HermesWorld, hermes_world
from tests.support.hermes_neighbours import FaultyAws
from tests.support.letters import ANN
from tests.support.system import REGION, until
from webordinary_testkit.emulation.system.aws import Aws
from webordinary_testkit.emulation.system.clock import Clock
from webordinary_testkit.emulation.system.hermes import watch
from webordinary_testkit.emulation.system.hermes.in_flight import InFlight
from webordinary_testkit.emulation.system.hermes.sessions import Sessions
from webordinary_testkit.emulation.system.ids import Ids
from webordinary_testkit.emulation.system.table import Table


@pytest.fixture
async def hermes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HermesWorld]:
    monkeypatch.setattr(watch, "WOKEN", 0.0)
    async with hermes_world(monkeypatch, idle_seconds=30.0) as made:
        yield made


def now_ms(hermes: HermesWorld) -> int:
    return hermes.settings.clock.now_ms()


async def test_zero_is_told_when_there_is_nothing(hermes: HermesWorld) -> None:
    await until(lambda: hermes.metrics.values("ActiveSessionCount"))
    assert set(hermes.metrics.values("ActiveSessionCount")) == {0}
    assert set(hermes.metrics.values("PendingWork")) == {0}


async def test_a_datapoint_says_where_it_belongs_and_how_fine_it_is(hermes: HermesWorld) -> None:
    datum = (await until(lambda: hermes.metrics.published))[0]
    assert hermes.metrics.namespaces == {"Test/Sessions"}
    assert datum["Dimensions"] == [{"Name": "Environment", "Value": "unit"}]
    assert datum["StorageResolution"] == 1
    assert datum["Unit"] == "Count"


async def test_datapoints_come_every_ten_seconds(hermes: HermesWorld) -> None:
    began = hermes.settings.clock.now()
    already = len(hermes.metrics.values("PendingWork"))
    await until(lambda: len(hermes.metrics.values("PendingWork")) >= already + 3)
    assert hermes.settings.clock.now() - began >= 20


async def test_an_idle_session_expires_and_zero_follows(hermes: HermesWorld) -> None:
    await hermes.put_row(lastActivity=now_ms(hermes))
    await until(lambda: 1 in hermes.metrics.values("ActiveSessionCount"))
    await until(lambda: hermes.status("TEST_s1"), lambda status: status == "expired")
    await until(lambda: hermes.metrics.values("ActiveSessionCount")[-1] == 0)
    await until(lambda: hermes.metrics.values("PendingWork")[-1] == 0)


async def test_a_session_expires_when_its_time_has_come_not_at_the_next_datapoint(hermes: HermesWorld) -> None:
    last = now_ms(hermes)
    await hermes.put_row(lastActivity=last)
    await until(lambda: hermes.status("TEST_s1"), lambda status: status == "expired")
    assert now_ms(hermes) - last > 30_000


async def test_one_sessions_end_is_no_other_sessions_end(hermes: HermesWorld) -> None:
    await hermes.put_row(sessionId="TEST_old", lastActivity=5)
    await hermes.put_row(sessionId="TEST_new", lastActivity=now_ms(hermes) + 900_000)
    await until(lambda: hermes.status("TEST_old"), lambda status: status == "expired")
    assert await hermes.status("TEST_new") == "active"
    assert hermes.ecs.updates == []


async def test_a_session_that_is_looked_at_in_the_last_moment_lives_on(hermes: HermesWorld) -> None:
    """The row has changed since it was read: the condition on it fails, and nothing expires."""
    await hermes.put_row(lastActivity=now_ms(hermes) + 900_000)
    async with hermes.running() as other:
        session = await other.sessions.get("TEST_s1")
        assert session is not None
        await hermes.put_row(lastActivity=now_ms(hermes) + 950_000)
        assert not await other.sessions.expire(session)
        assert await hermes.status("TEST_s1") == "active"


async def test_a_session_being_worked_on_does_not_expire(hermes: HermesWorld) -> None:
    hermes.edit.gate.clear()
    body = {"clientId": "acme", "userId": ANN, "instruction": "slow 99"}
    _, answer = await hermes.post("/hermes/api/sessions/activate", body)
    began = hermes.settings.clock.now()
    await until(lambda: hermes.settings.clock.now() - began > 90)
    assert await hermes.status(answer["sessionId"]) == "initializing"
    assert hermes.metrics.values("ActiveSessionCount")[-1] == 1
    hermes.edit.gate.set()
    await until(lambda: hermes.status(answer["sessionId"]), lambda status: status == "active")


async def test_a_session_half_open_since_long_ago_expires(hermes: HermesWorld) -> None:
    await hermes.put_row(status="initializing", lastActivity=5)
    await until(lambda: hermes.status("TEST_s1"), lambda status: status == "expired")


async def test_no_zero_is_told_while_a_mail_is_on_its_way_to_a_session(hermes: HermesWorld) -> None:
    """A zero would scale edit in just when the mail scales it out."""
    hermes.refused.add("put_item")
    await hermes.mail("create page A")
    await until(lambda: hermes.metrics.values("PendingWork")[-1:] == [1.0])
    hermes.metrics.published.clear()
    hermes.edit.gate.clear()
    await until(lambda: hermes.metrics.values("PendingWork"))
    hermes.refused.clear()
    await until(lambda: hermes.edit.works, within=20)
    assert 0 not in hermes.metrics.values("ActiveSessionCount")
    hermes.edit.gate.set()
    await until(hermes.replies)


async def test_throttled_looks_are_made_up_for(hermes: HermesWorld) -> None:
    hermes.refused |= {"query", "put_metric_data"}
    await hermes.put_row(lastActivity=5)
    already = len(hermes.metrics.published)
    began = hermes.settings.clock.now()
    await until(lambda: hermes.settings.clock.now() - began > 20)
    assert len(hermes.metrics.published) <= already + 2
    hermes.refused.clear()
    await until(lambda: hermes.status("TEST_s1"), lambda status: status == "expired")


async def test_sessions_that_cannot_be_read_count_as_before(hermes: HermesWorld) -> None:
    """Neither zero nor silence: both would scale edit in while it is at work."""
    await hermes.put_row(lastActivity=now_ms(hermes) + 600_000)
    await until(lambda: hermes.metrics.values("ActiveSessionCount")[-1:] == [1])
    hermes.refused.add("query")
    hermes.metrics.published.clear()
    await until(lambda: len(hermes.metrics.values("ActiveSessionCount")) >= 2)
    assert set(hermes.metrics.values("ActiveSessionCount")) == {1}
    assert set(hermes.metrics.values("PendingWork")) == {1}


async def test_before_the_first_look_nothing_is_told_of_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hermes_world(monkeypatch, start=False) as made:
        aws = FaultyAws(made.settings.clock, {"query"})
        sessions = Sessions(Table(aws, "sessions", key="sessionId"), made.settings.clock, "http://alb")
        watching = watch.Watch(
            sessions, InFlight(), aws, made.settings.clock, namespace="N", environment="E", idle_seconds=60
        )
        assert await watching.look() == watch.EVERY
        assert made.metrics.published == []
        aws.close()


async def test_the_counts_wait_for_nobody_elses_calls() -> None:
    """Many sessions at work fill all threads with calls; the counts are told all the same."""
    gate = threading.Event()

    class Slow(Aws):
        def _once(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
            if operation == "query":
                gate.wait(10)
            return {"operation": operation}

    aws = Slow(Clock(), Ids(), threads=2)
    apart = aws.apart(threads=1)
    busy = [asyncio.ensure_future(aws.call("dynamodb", "query")) for _ in range(4)]
    try:
        async with asyncio.timeout(5):
            assert await apart.call("cloudwatch", "put_metric_data") == {"operation": "put_metric_data"}
    finally:
        gate.set()
        await asyncio.gather(*busy)
        apart.close()
        aws.close()


class SetClock(Clock):
    """A clock that stands at a time."""

    time = 1_795_000_000.0

    def now(self) -> float:
        return self.time


async def test_a_hermes_that_was_woken_for_nothing_stays_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hermes_world(monkeypatch, start=False) as made:
        aws = Aws(made.settings.clock, Ids(), region=REGION, threads=2)
        clock = SetClock()
        sessions = Sessions(Table(aws, "sessions", key="sessionId"), clock, "http://alb")
        watching = watch.Watch(sessions, InFlight(), aws, clock, namespace="N", environment="E", idle_seconds=60)
        await watching.look()
        assert made.metrics.values("PendingWork") == [1]
        assert made.metrics.values("ActiveSessionCount") == []
        monkeypatch.setattr(SetClock, "time", clock.time + watch.WOKEN + 1)
        await watching.look()
        assert made.metrics.values("PendingWork") == [1, 0]
        assert made.metrics.values("ActiveSessionCount") == [0]
        aws.close()
