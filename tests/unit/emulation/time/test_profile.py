"""Latency profiles: what a line says, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from webordinary_testkit.emulation.time.distribution import Constant, Lognormal, Uniform
from webordinary_testkit.emulation.time.profile import NAMES, ProfileError, known, load, read

SAID = 'source = "measured", date = "2026-11"'


def line(text: str, name: str = "ecs.task.start") -> str:
    return f'[delays]\n"{name}" = {{ {text} }}\n'


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("constant = 2", Constant(2)),
        ("uniform = [0, 60]", Uniform(0, 60)),
        ("lognormal = { p50 = 2, p95 = 5 }", Lognormal(2, 5)),
    ],
)
def test_a_line_has_a_distribution_and_a_source(text: str, distribution: object) -> None:
    delay = read(line(f"{text}, {SAID}"), "mine").delays["ecs.task.start"]
    assert (delay.distribution, delay.source, delay.date) == (distribution, "measured", "2026-11")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("constant = 2", r"delay 'ecs.task.start': it has no source; say who measured it and when"),
        ('constant = 2, source = " ", date = "2026"', "it has no source"),
        ('constant = 2, source = "measured"', "it has no date"),
        (SAID, "it needs exactly one of constant, uniform, lognormal, got none"),
        (f"constant = 2, uniform = [0, 1], {SAID}", "exactly one of .*, got constant, uniform"),
        (f"constant = -2, {SAID}", "constant must be seconds of 0 or more, got -2"),
        (f"constant = true, {SAID}", "constant must be seconds"),
        (f"constant = inf, {SAID}", "constant must be seconds"),
        (f"uniform = [60, 0], {SAID}", r"uniform must be \[lowest, highest\] seconds"),
        (f"uniform = 3, {SAID}", "uniform must be"),
        (f"lognormal = {{ p50 = 5, p95 = 2 }}, {SAID}", "lognormal must be"),
        (f"lognormal = {{ p50 = 0, p95 = 2 }}, {SAID}", "lognormal must be"),
        (f"lognormal = {{ p50 = 1 }}, {SAID}", "lognormal must be"),
        (f"constant = 2, seconds = 3, {SAID}", "unknown key 'seconds'; there are constant"),
        (f"constant = 2, for_mib = 100, {SAID}", "for ecs.task.image_pull only"),
    ],
)
def test_a_wrong_line_is_named_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        read(line(text), "mine")


def test_an_unquoted_name_is_explained() -> None:
    with pytest.raises(ProfileError, match=r"delay 'ecs'.* is it quoted"):
        read(f"[delays]\necs = 3\n{''}", "mine")


def test_an_unknown_delay_names_the_closest() -> None:
    with pytest.raises(ProfileError, match=r"no such delay; did you mean 'ecs.task.start'"):
        read(line(f"constant = 2, {SAID}", "ecs.task.starts"), "mine")


def test_an_unknown_table_and_text_that_is_not_toml() -> None:
    with pytest.raises(ProfileError, match="unknown table 'delay'; there are delays and image_mib"):
        read("[delay]", "mine")
    with pytest.raises(ProfileError, match="latency profile mine: "):
        read("[delays", "mine")
    with pytest.raises(ProfileError, match="image_mib of 'app:1' must be MiB above 0"):
        read('[image_mib]\n"app:1" = 0', "mine")


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="no latency profile 'publshed'; there are none, published, and the path"):
        load("publshed")


def test_a_path_is_a_profile(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(line(f"constant = 2, {SAID}"), encoding="utf-8")
    assert load(str(path)).delays["ecs.task.start"].distribution == Constant(2)


def test_none_delays_nothing() -> None:
    assert load("none").delays == {}
    assert known()[0] == "none"


def test_a_resource_type_has_its_own_line_or_the_general_one() -> None:
    profile = read(
        line(f"constant = 2, {SAID}", "stack.create")
        + line(f"constant = 9, {SAID}", "stack.create.AWS::IAM::Role")[9:],
        "mine",
    )
    seconds = [profile.delay("stack.create", kind) for kind in ("AWS::IAM::Role", "AWS::SNS::Topic")]
    assert [each and each.distribution for each in seconds] == [Constant(9), Constant(2)]


def test_quantiles() -> None:
    assert Constant(2).quantile(0.9) == 2
    assert Uniform(10, 20).quantile(0.5) == 15
    assert [round(Lognormal(2, 5).quantile(share), 6) for share in (0.5, 0.95)] == [2, 5]


def test_every_delay_of_the_cloud_has_a_published_line() -> None:
    published = load("published")
    assert [name for name in NAMES if published.delay(name) is None] == []
