"""Draws: the same seed gives the same delays, in whatever order they are needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webordinary_testkit.emulation.time.clock import Clock
from webordinary_testkit.emulation.time.latency import Latency
from webordinary_testkit.emulation.time.profile import load, read

PUBLISHED = load("published")
PULL = """
[image_mib]
"big:1" = 826
[delays]
"ecs.task.image_pull" = { constant = 33, for_mib = 413, source = "s", date = "2026" }
"""


def latency(seed: int = 7) -> Latency:
    return Latency(PUBLISHED, Clock(), seed=seed)


def test_the_order_in_which_delays_are_needed_does_not_matter() -> None:
    one, other = latency(), latency()
    hermes, edit = one.resource("hermes"), one.resource("edit")
    first = [hermes.draw("ecs.task.start"), edit.draw("ecs.task.start"), edit.draw("ecs.task.provisioning")]
    edit, hermes = other.resource("edit"), other.resource("hermes")
    provisioning, start = edit.draw("ecs.task.provisioning"), edit.draw("ecs.task.start")
    assert first == [hermes.draw("ecs.task.start"), start, provisioning]


def test_resources_of_a_kind_and_repeated_draws_differ() -> None:
    it = latency()
    first, second = it.resource("edit"), it.resource("edit")
    drawn = [first.draw("ecs.task.start"), first.draw("ecs.task.start"), second.draw("ecs.task.start")]
    assert len(set(drawn)) == 3


def test_another_seed_gives_other_delays() -> None:
    drawn = {latency(seed).resource("edit").draw("ecs.task.start") for seed in range(5)}
    assert len(drawn) == 5


def test_without_a_seed_runs_differ() -> None:
    assert Latency(PUBLISHED).seed != Latency(PUBLISHED).seed


def test_draws_follow_the_distribution() -> None:
    resource = latency().resource("edit")
    drawn = sorted(resource.draw("ecs.task.deprovisioning") for _ in range(2000))
    assert drawn[1000] == pytest.approx(20, rel=0.05)
    assert drawn[1900] == pytest.approx(38, rel=0.1)


def test_a_pull_is_in_proportion_to_the_size_of_the_image() -> None:
    resource = Latency(read(PULL, "pulls"), seed=1).resource("edit")
    assert resource.draw("ecs.task.image_pull", image="big:1") == pytest.approx(66)
    assert resource.draw("ecs.task.image_pull", image="any:1") == pytest.approx(33 * 80 / 413)


async def test_without_a_profile_nothing_waits_and_nothing_is_recorded(tmp_path: Path) -> None:
    path = tmp_path / "delays.jsonl"
    it = Latency(load("none"), Clock(scale=1e-6), record=path)
    await it.resource("edit").wait("ecs.task.start")  # at this scale any delay would be for ever
    assert not path.exists()


async def test_a_wait_takes_its_aws_seconds_and_is_recorded(tmp_path: Path) -> None:
    path, clock = tmp_path / "delays.jsonl", Clock(scale=600)
    resource = Latency(read(PULL, "pulls"), clock, seed=3, record=path).resource("edit")
    before = clock.now()
    await resource.wait("ecs.task.image_pull", image="big:1")
    assert clock.now() - before >= 66

    head, drawn = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (head["profile"]["name"], head["seed"]) == ("pulls", 3)
    assert head["profile"]["delays"]["ecs.task.image_pull"]["quantiles"] == [33.0] * 99
    assert {key: drawn[key] for key in ("delay", "resource", "number", "seconds", "factor")} == {
        "delay": "ecs.task.image_pull",
        "resource": "edit 1",
        "number": 1,
        "seconds": 66.0,
        "factor": 2.0,
    }
    assert drawn["began"] == pytest.approx(before, abs=30)
