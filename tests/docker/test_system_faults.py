"""The reference system in its own images, while the kernel is unkind to its containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from webordinary_testkit.kit.backends import capability
from webordinary_testkit.kit.core.verdict import Verdict
from webordinary_testkit.kit.faults import CutNetwork, FillVolume, SlowStart, StarveCpu, UseUpMemory
from webordinary_testkit.kit.harness import Harness
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import Scenario
from webordinary_testkit.kit.scenarios.steps.task_replacement import open_session
from webordinary_testkit.kit.settings import load
from webordinary_testkit.kit.system import facts


async def _task(h: Harness) -> str:
    """The ARN of the one task that serves."""
    running = [task["taskArn"] for task in await h.services.tasks("edit") if task["lastStatus"] == "RUNNING"]
    h.checks.equal(len(running), 1, "the number of edit tasks that run")
    return str(running[0])


async def _said(h: Harness, words: str) -> list[str]:
    """What the containers of edit said with these words in it."""
    cloud = h._context.cloud
    answer = await cloud.aws.call("logs", "filter_log_events", logGroupName=cloud.stack.edit_log_group)
    return [event["message"] for event in answer["events"] if words in event["message"]]


async def hardship(h: Harness) -> None:
    """One session, whose container is killed, starved, cut off, slow to come back, and has no room to write."""
    with h.step("a session at work"):
        session, page = await open_session(h)
    async with h.session_api.keeping_alive(session):
        with h.step("its container runs out of memory, and another one shows the same page"):
            async with h.fault(UseUpMemory(await _task(h))):
                await h.wait_for_container_ready(session, within=h.timeouts.recovery)
            await h.wait_for_change(session, page, within=h.timeouts.recovery)
        with h.step("it is starved, and works all the same"):
            async with h.fault(StarveCpu(await _task(h), cpus=0.2)):
                await h.wait_for_change(session, page, within=h.timeouts.recovery)
        with h.step("what is asked for while the volume is full is done when there is room again"):
            marker = h.new_marker()
            async with h.fault(FillVolume(await _task(h))):
                mail = await h.send_mail(facts.add_page(f"Crowded Page {marker}"), marker=marker)
                said = await h.eventually(
                    lambda: _said(h, "No space left on device"),
                    within=h.timeouts.reply,
                    describe="the container to say that there is no room",
                )
                h.check(said, "the full volume in the container's own log", seen=said)
            await h.wait_for_reply(mail, within=h.timeouts.reply + h.timeouts.recovery)
        with h.step("it is unplugged, and ECS puts another one in its place, however slow to start"):
            cut = await _task(h)
            async with h.fault(CutNetwork(cut)):
                await h.wait_for_container_ready(session, within=2 * h.timeouts.recovery)
            h.check(await _task(h) != cut, "another task to serve", seen=cut)
            async with h.fault(SlowStart("edit", seconds=30)):
                await h.wait_for_change(session, page, within=h.timeouts.recovery)


HARDSHIP = Scenario(
    "hardship",
    "a session survives what the kernel can do to its containers",
    (
        capability.FAULT_MEMORY,
        capability.FAULT_CPU,
        capability.FAULT_DISK,
        capability.FAULT_UNPLUG,
        capability.FAULT_START,
    ),
    hardship,
)


async def test_the_reference_system_survives_hardship(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run(load({"emulated": {"runtime": "docker", "volume_mib": 128}}))
    await run.start()
    try:
        outcome = await run.execute(HARDSHIP)
    finally:
        await run.stop()
    assert outcome.verdict is Verdict.PASS, outcome.message
    assert [fault.verified for fault in outcome.faults] == [True] * 5
