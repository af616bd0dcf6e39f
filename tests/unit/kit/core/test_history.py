"""The history: what is recorded, when, and as what."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.support.kit import START, ManualClock
from webordinary_testkit.kit.core.history import FAIL, INFO, INVOKE, OK, History, read


def refused(status: int) -> ClientError:
    return ClientError({"Error": {"Code": "X"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "UpdateService")


def test_an_operation_is_an_invoke_and_then_its_end() -> None:
    history = History(ManualClock())
    with history.operation("send_mail", message="<1@x>") as sent:
        sent.ok(to="edit@x")
    invoke, ok = history.events()
    assert (invoke.type, ok.type) == (INVOKE, OK)
    assert ok.operation == invoke.index
    assert ok.touches == {"message": "<1@x>"}
    assert ok.value == {"to": "edit@x"}


def test_the_invoke_is_on_disk_before_the_operation_happens(tmp_path: Path) -> None:
    history = History(ManualClock(), tmp_path / "history.jsonl")
    with history.operation("ecs.update_service", service="edit"):
        assert [event.type for event in read(tmp_path / "history.jsonl")] == [INVOKE]


@pytest.mark.parametrize(("error", "end"), [(refused(400), FAIL), (refused(500), INFO), (TimeoutError(), INFO)])
def test_what_was_refused_failed_and_what_broke_off_is_open(error: Exception, end: str) -> None:
    history = History(ManualClock())
    with pytest.raises(type(error)), history.operation("ecs.update_service"):
        raise error
    assert history.events()[-1].type == end


def test_an_end_that_was_told_is_not_overwritten_by_an_exception() -> None:
    history = History(ManualClock())
    with pytest.raises(RuntimeError), history.operation("create_session") as operation:
        operation.fail("503")
        raise RuntimeError("try again")
    assert [event.type for event in history.events()] == [INVOKE, FAIL]


def test_an_operation_ends_once() -> None:
    with (
        pytest.raises(RuntimeError, match="already recorded as ok"),
        History(ManualClock()).operation("x") as operation,
    ):
        operation.ok()
        operation.fail("no")


def test_events_belong_to_the_scenario_they_happened_in() -> None:
    history = History(ManualClock())
    with history.scenario("cold_start"):
        history.note("reply", value={})
    history.note("reply", value={})
    assert [event.scenario for event in history.events()] == ["cold_start", "cold_start", "", ""]
    assert len(history.events("cold_start")) == 2


async def test_both_times_are_noted() -> None:
    clock = ManualClock(scale=60)
    history = History(clock)
    await clock.sleep(120)
    history.note("reply", value={})
    assert (history.events()[0].wall, history.events()[0].aws) == (START + 2, START + 120)


def test_what_is_read_back_is_what_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    history = History(ManualClock(), path)
    history.note("reply", message="<1@x>", value={"sent": 3.5})
    with path.open("a") as file:
        file.write('{"index": 2, "cut')
    assert read(path) == history.events()


async def test_what_is_done_beside_the_scenario_is_told_apart_and_knows_its_step() -> None:
    history = History(ManualClock())

    async def beside(what: str) -> None:
        history.note("first", value={}, what=what)
        history.note("second", value={}, what=what)

    with history.scenario("a"), history.step("1 at once"):
        history.note("before", value={})
        await asyncio.gather(beside("x"), beside("y"))
        history.note("after", value={})
    begun = [event for event in history.events() if event.type == "invoke"]
    assert {event.step for event in begun} == {"1 at once"}
    assert [event.strand for event in begun if not event.touches] == [0, 0]
    strands = {event.touches["what"]: event.strand for event in begun if event.touches}
    assert len(set(strands.values())) == 2 and 0 not in strands.values()
