"""Settings: the layers, and what is said about a wrong key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webordinary_testkit.kit.core.errors import UsageError
from webordinary_testkit.kit.settings import load


def toml(folder: Path, text: str) -> Path:
    file = folder / "kit.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_anything_the_seeds_targets_hold() -> None:
    settings = load(environ={})
    timeouts = settings.timeouts
    assert (timeouts.container_ready, timeouts.warm, timeouts.session_expiry) == (60, 5, 70)
    assert (timeouts.scale_down, timeouts.health, timeouts.file_check) == (30, 30, 2)
    assert (timeouts.recovery, timeouts.idle_shutdown) == (120, 300)
    assert (settings.mode, settings.emulated.scale, settings.report_dir) == ("emulated", 1, Path(".kit"))
    assert settings.emulated.clock == "autojump"


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_profile(tmp_path: Path) -> None:
    file = toml(
        tmp_path, 'profile = "webordinary"\nregion = "eu-west-1"\n[emulated]\nscale = 2\nport = 1\nsmtp_port = 1'
    )
    settings = load(
        {"emulated": {"scale": 4}}, file=file, environ={"KIT_EMULATED__SCALE": "3", "KIT_EMULATED__PORT": "2"}
    )
    assert (settings.emulated.scale, settings.emulated.port, settings.emulated.smtp_port) == (4, 2, 1)
    assert settings.region == "eu-west-1"
    assert settings.account == "942734823970"


def test_the_profile_webordinary_is_the_seeds_test_config() -> None:
    settings = load({"profile": "webordinary"}, environ={})
    assert (settings.region, settings.account, settings.aws_profile) == ("us-west-2", "942734823970", "personal")
    assert settings.production.cluster == "webordinary-edit-cluster"
    assert settings.production.services == ("webordinary-hermes-service", "webordinary-edit-service")
    assert settings.test_data.client_id == "integration-test-client"
    assert settings.production.endpoints[0].endswith("us-west-2.elb.amazonaws.com")


@pytest.mark.parametrize(
    ("text", "said", "near"),
    [
        ("regoin = 'x'", "'regoin'", "'region'"),
        ("[emulated]\nscael = 1", "'emulated.scael'", "'emulated.scale'"),
        ("scale = 1", "'scale'", "'emulated.scale'"),
        ("[timeout]\nwarm = 1", "'timeout'", "'timeouts'"),
    ],
)
def test_an_unknown_key_is_named_with_its_file_and_the_nearest(tmp_path: Path, text: str, said: str, near: str) -> None:
    file = toml(tmp_path, text)
    with pytest.raises(UsageError) as error:
        load(file=file, environ={})
    assert f"unknown setting {said}" in str(error.value)
    assert str(file) in str(error.value)
    assert f"did you mean {near}?" in str(error.value)
    assert error.value.exit_code == 2


def test_an_unknown_variable_is_named_as_it_is_written() -> None:
    with pytest.raises(UsageError, match=r"'KIT_EMULATED__SCAEL'[\s\S]*'KIT_EMULATED__SCALE'"):
        load(environ={"KIT_EMULATED__SCAEL": "1"})


@pytest.mark.parametrize(
    ("overrides", "environ", "said"),
    [
        ({"emulated": {"scale": 0}}, {}, "emulated.scale = 0: Input should be greater than 0"),
        ({}, {"KIT_EMULATED__SCALE": "fast"}, "KIT_EMULATED__SCALE = 'fast'"),
        ({}, {"KIT_EMULATED__PROGRAMS": "{"}, "written as JSON"),
        ({"account": "12"}, {}, "account = '12'"),
        ({"emulated": 3}, {}, "is a section, not a value"),
        ({"mode": "lvie"}, {}, "mode = 'lvie'"),
        ({"stack": {"name": "s" * 37}}, {}, "37 characters, and it may have 36: CloudFormation derives the names of"),
    ],
)
def test_a_wrong_value_is_named_with_its_layer(overrides: dict[str, Any], environ: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as error:
        load(overrides, environ=environ)
    assert said in str(error.value)
    assert ("the environment" if environ else "the command line") in str(error.value)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read as TOML"):
        load(file=toml(tmp_path, "region = "), environ={})


def test_a_named_file_must_exist_and_the_default_one_need_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    load(environ={})
    with pytest.raises(UsageError, match="does not exist"):
        load(file=tmp_path / "other.toml", environ={})


def test_lists_and_tables_come_from_the_environment_as_json() -> None:
    settings = load(environ={"KIT_EMULATED__PROGRAMS": '{"me/edit:1": ["python", "edit.py"]}'})
    assert settings.emulated.programs == {"me/edit:1": ["python", "edit.py"]}


@given(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=12).map(str.lower))
def test_no_unknown_key_is_ever_ignored(key: str) -> None:
    if key not in type(load(environ={})).model_fields:
        with pytest.raises(UsageError, match="unknown setting"):
            load({key: 1}, environ={})


def test_a_commands_own_defaults_yield_to_what_was_said_even_if_it_says_the_usual() -> None:
    assert load({}, defaults={"emulated": {"scale": 10}}, environ={}).emulated.scale == 10
    assert load({"emulated": {"scale": 60.0}}, defaults={"emulated": {"scale": 10}}, environ={}).emulated.scale == 60


def test_a_parameters_number_or_truth_value_is_what_cloudformation_takes() -> None:
    settings = load({"stack": {"parameters": {"IdleSeconds": 30, "TestMonitoring": False, "MailDomain": "x.test"}}})

    assert settings.stack.parameters == {"IdleSeconds": "30", "TestMonitoring": "false", "MailDomain": "x.test"}


def test_the_folder_of_what_builds_keep_is_no_setting() -> None:
    assert load(environ={"KIT_CACHE": "/somewhere"}) == load(environ={})


@pytest.mark.parametrize(
    ("emulated", "scale"),
    [
        ({}, 1),
        ({"clock": "scaled"}, 60),
        ({"clock": "real"}, 1),
        ({"programs": {"web:1": ["web"]}}, 60),
        ({"base": "localstack"}, 60),
        ({"runtime": "docker"}, 20),
        ({"preview": "astro"}, 5),
        ({"preview": "auto"}, 5),
        ({"preview": "astro", "runtime": "docker"}, 5),
        ({"preview": "builtin", "runtime": "docker"}, 20),
        ({"preview": "astro", "runtime": "docker", "scale": 4}, 4),
    ],
)
def test_the_clock_leaves_time_for_containers_and_for_astro_unless_told(emulated: dict[str, Any], scale: float) -> None:
    assert load({"emulated": emulated}, environ={}).emulated.scale == scale


@pytest.mark.parametrize("emulated", [{"clock": "autojump", "scale": 60}, {"clock": "real", "scale": 2}])
def test_a_scale_that_the_clock_does_not_have_is_refused(emulated: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"emulated.scale = \d+ with emulated.clock = '(autojump|real)'"):
        load({"emulated": emulated}, environ={})
