"""A live run killed at any moment leaves nothing that `kit janitor` does not collect, and collects nothing else.

The stand-in for AWS outlives the runs, as AWS does. KILLS, KILL_SEED: how many, and which moments.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from tests.support.account import everything, foreign, kit, started
from tests.support.kit import some_settings
from webordinary_testkit.kit.backends.emulated.rehearsal import FOREIGN_QUEUE, RULE_SET, Rehearsal, aimed

KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILL_SEED", "20261122"))
AT_A_TIME = 4
"""Runs that are killed between two sweeps, each with a stack of its own."""
DELAY = 0.3
"""Wall seconds, at most, from the line to the kill; four times as long between two steps of a scenario."""
RUN = ("run", "email_to_preview", "outage", "--mode", "live")


@pytest.fixture(scope="module", autouse=True)
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The account, with more of other people's things than usual, some of them named like the kit's."""
    rehearsal = Rehearsal(some_settings(emulated={"scale": 60}), tmp_path_factory.mktemp("stand-in"))
    account = asyncio.run(rehearsal.start())
    with aimed(account):
        sqs, ses = boto3.client("sqs"), boto3.client("ses")
        orders = sqs.get_queue_url(QueueName=FOREIGN_QUEUE)["QueueUrl"]
        sqs.send_message(QueueUrl=orders, MessageBody="an order that nobody may take")
        sqs.create_queue(QueueName="kill-1-inbound-archive")
        sqs.create_queue(QueueName="somebody-elses-tagged", tags={"webordinary-test-kit": "killed-1"})
        ses.create_receipt_rule_set(RuleSetName="somebody-elses-rules")
        ses.create_receipt_rule(
            RuleSetName=RULE_SET, Rule={"Name": "kill-1-invoices", "Enabled": True, "Recipients": ["invoices.example"]}
        )
        yield
    rehearsal.stop()


@dataclass(frozen=True)
class Moment:
    """When a run is killed: after so many lines of its output, and a little later."""

    number: int
    slot: int
    """Which stack it uses, of those that are there at the same time."""
    line: int
    seconds: float


def moments(lines: list[str]) -> list[Moment]:
    """From what a whole run says: a third each while it deploys, while its scenarios run, and while it cleans up; in
    each part spread out, at random, and in no order."""
    deployed = next(at for at, line in enumerate(lines) if "CREATE_COMPLETE" in line and "Formation::Stack" in line)
    deleting = next(at for at, line in enumerate(lines) if "DELETE_" in line)
    chance = random.Random(SEED)
    parts = [(0, deployed, DELAY), (deployed, deleting, 4 * DELAY), (deleting, len(lines), DELAY)]
    chosen = []
    for part, (first, end, delay) in enumerate(parts):
        share = len(range(part, KILLS, len(parts)))
        width = (end - first) / max(share, 1)
        chosen += [(int(first + chance.uniform(at, at + 1) * width), chance.uniform(0, delay)) for at in range(share)]
    chance.shuffle(chosen)
    return [Moment(at, at % AT_A_TIME, line, seconds) for at, (line, seconds) in enumerate(chosen)]


async def killed_at(moment: Moment, folder: Path) -> str:
    """When it was killed and what it had said last."""
    process = await started(
        *(*RUN, "--set", f"stack.name=killed-{moment.slot}"),
        *("--set", f"stack.parameters.ResourcePrefix=kill-{moment.slot}"),
        report_dir=folder,
    )
    assert process.stdout is not None
    last = "(nothing yet)"
    for _ in range(moment.line):
        line = await process.stdout.readline()
        if not line:
            break
        last = line.decode().strip() or last
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), moment.seconds)
    if process.returncode is None:
        process.kill()
    await process.communicate()
    said = f"kill {moment.number}, seed {SEED}, line {moment.line} + {moment.seconds:.2f} s: {last}"
    return said if process.returncode == -9 else f"{said} (it had ended by itself)"


async def test_whenever_a_run_is_killed_the_janitor_leaves_nothing_of_it_and_all_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, theirs = everything(), foreign()
    whole = await kit(*RUN, report_dir=tmp_path)
    assert "audit: nothing of this run is left in the account" in whole.text, whole.text
    assert everything() == before
    chosen = moments(whole.text.splitlines())
    for at in range(0, KILLS, AT_A_TIME):
        killed = await asyncio.gather(*(killed_at(one, tmp_path) for one in chosen[at : at + AT_A_TIME]))
        swept = await kit("janitor", "--yes", report_dir=tmp_path)
        with capsys.disabled():
            sys.stdout.write("\n".join(["", *killed, swept.text]))
        assert swept.code == 0, swept.text
        assert everything() == before
        assert foreign() == theirs
    again = await kit("janitor", "--yes", report_dir=tmp_path)
    assert "removed" not in again.text and again.code == 0
