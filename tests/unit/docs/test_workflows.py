"""The workflows: what they run is pinned, what they may do is little, and a live run always cleans up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import REPOSITORY

FOLDER = REPOSITORY / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"^\s*(?:- )?uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def read(name: str) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def steps_of(name: str, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read(name)["jobs"][job]["steps"]
    return found


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_its_full_commit(path: Path) -> None:
    used = [line for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.match(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_key_is_stored_and_no_token_kept(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert "secrets." not in text and "aws-access-key-id" not in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_ends_by_itself(path: Path) -> None:
    assert [name for name, job in read(path.name)["jobs"].items() if "timeout-minutes" not in job] == []


def test_checks_run_on_push_and_pull_request_and_read_only() -> None:
    checks = read("checks.yml")
    assert {"push", "pull_request"} <= set(checks[True])  # YAML 1.1 reads the key `on` as true
    assert checks["permissions"] == {"contents": "read"}
    assert set(checks["jobs"]) == {"lint", "tests", "astro", "rehearsal", "docker"}


def test_what_takes_longest_runs_every_night_and_read_only() -> None:
    nightly = read("nightly.yml")
    assert set(nightly[True]) == {"schedule", "workflow_dispatch"}
    assert nightly["permissions"] == {"contents": "read"}
    sessions = nightly["jobs"]["session"]["strategy"]["matrix"]["session"]
    assert set(sessions) == {"docker", "localstack", "compose", "selftest", "realtime"}


def test_a_live_run_takes_a_role_and_is_alone() -> None:
    live = read("live.yml")
    assert set(live[True]) == {"schedule", "workflow_dispatch"}
    assert live["permissions"] == {"contents": "read", "id-token": "write"}
    assert live["concurrency"] == {"group": "live", "cancel-in-progress": False}
    assert "budget" in live[True]["workflow_dispatch"]["inputs"]


def test_whatever_happens_the_janitor_comes_and_what_happened_is_kept() -> None:
    always = [step for step in steps_of("live.yml", "live") if step.get("if") == "always()"]
    assert [step.get("run") or step["uses"].partition("@")[0] for step in always] == [
        "kit janitor --yes",
        "actions/upload-artifact",
    ]


@pytest.mark.parametrize("job", ["tests", "rehearsal", "docker"])
def test_what_happened_is_kept_of_every_run(job: str) -> None:
    last = steps_of("checks.yml", job)[-1]
    assert last["if"] == "always()" and last["uses"].startswith("actions/upload-artifact@")
    assert last["with"]["include-hidden-files"] is True, "the folder begins with a dot"
