"""The least-privilege policy that is checked in is what a rehearsal calls: nothing is missing, nothing superfluous.

After the scenarios: their calls, and those of deploying, deleting, `kit doctor` and `kit janitor`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.kit import some_settings
from tests.support.policy_check import refused
from webordinary_testkit.kit.backends.emulated.rehearsal import CALLS, Rehearsal, aimed
from webordinary_testkit.kit.backends.live.account import clock_of
from webordinary_testkit.kit.backends.live.backend import LiveBackend
from webordinary_testkit.kit.backends.live.iam.calls import (
    CLOUDFORMATION,
    caller_of,
    checked_in_calls,
    differences,
    read_record,
    read_records,
)
from webordinary_testkit.kit.backends.live.iam.document import policy
from webordinary_testkit.kit.core.history import History
from webordinary_testkit.kit.runner.run import Run
from webordinary_testkit.kit.scenarios.registry import select
from webordinary_testkit.kit.settings import Settings, load


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The record of a stack that is deployed and deleted, looked at by the doctor and the janitor."""
    folder = tmp_path_factory.mktemp("commands")
    rehearsal = Rehearsal(some_settings(emulated={"scale": 60}), folder)
    account = asyncio.run(rehearsal.start())
    try:
        with aimed(account):
            asyncio.run(_deployed_and_deleted(folder))
    finally:
        rehearsal.stop()
    return folder / CALLS


async def _deployed_and_deleted(folder: Path) -> None:
    settings = load({"mode": "live", "report_dir": str(folder)})
    backend = LiveBackend(settings, folder, History(clock_of(settings)))
    await _kit("doctor")
    await backend.start()
    await _kit("janitor")
    await backend.stop()


async def _kit(command: str) -> None:
    """Whatever it finds: here it only has to have looked."""
    argv = [sys.executable, "-m", "webordinary_testkit.kit", command]
    done = await asyncio.to_thread(subprocess.run, argv, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr


@pytest.fixture
def records(rehearsal: Rehearsal | None, kit_run: Run, commands: Path) -> list[Path]:
    """What was recorded. Only a whole rehearsal tells what is superfluous."""
    if rehearsal is None:
        pytest.skip("AWS itself keeps no record for the kit; a rehearsal does")
    left = {scenario.name for scenario in select([])} - {outcome.name for outcome in kit_run.report.outcomes}
    if left:
        pytest.skip(f"only after all scenarios, and these were not run: {', '.join(sorted(left))}")
    shutil.copy(rehearsal.folder / CALLS, kit_run.folder / CALLS)
    shutil.copy(commands, kit_run.folder / f"commands-{CALLS}")
    return [kit_run.folder / CALLS, kit_run.folder / f"commands-{CALLS}"]


def of_the_owners_stack(call: dict[str, Any]) -> bool:
    """What CloudFormation made for the account's owner, with the owner's rights."""
    return caller_of(call) == CLOUDFORMATION and "somebody-elses" in str(call["touches"])


def test_the_policy_is_of_the_calls_that_are_made(records: list[Path]) -> None:
    found = differences(checked_in_calls(), read_records(records))
    assert found == [], f"to take them over: kit iam --refresh {' '.join(map(str, records))}"


def test_the_policy_lets_every_call_through(records: list[Path], kit_settings: Settings) -> None:
    allowed, looked_at, stopped = policy(kit_settings), 0, set[str]()
    for record in records:
        for call in read_record(record):
            if caller_of(call) and not of_the_owners_stack(call):
                looked_at += 1
                stopped |= set(refused(allowed, call, kit_settings.region, kit_settings.account))
    assert looked_at > 1000
    assert stopped == set()
