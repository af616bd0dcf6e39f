"""The command `kit`: its errors are one clear message and a non-zero exit."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from webordinary_testkit.kit.cli import main
from webordinary_testkit.kit.cli.running import FILE


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without settings or runs."""
    monkeypatch.chdir(tmp_path)


def failing(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = main(argv)
    assert code != 0
    return code, capsys.readouterr().err


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    script = (
        "import sys; from webordinary_testkit.kit.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: print(sorted(sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    heavy = {"boto3", "botocore", "pydantic", "aiohttp", "rich", "moto", "yaml"}
    assert "up" in output
    assert not heavy & set(output.replace("'", "").replace("[", "").replace("]", "").split(", "))


def test_the_scenarios_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenarios", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"email_to_preview", "cold_start"} <= {one["name"] for one in listed}


def test_an_unknown_scenario_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = failing(capsys, "run", "cold_strat")
    assert code == 2
    assert "did you mean 'cold_start'" in said


@pytest.mark.parametrize("command", [["status"], ["mail", "hi"], ["outbox"], ["logs", "edit"]])
def test_without_a_running_cloud_the_way_to_start_one_is_told(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = failing(capsys, *command)
    assert code == 2
    assert "no cloud is running" in said
    assert "kit up" in said


def test_a_note_whose_cloud_is_gone_is_taken_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    from tests.support.kit import a_stack

    stack = a_stack()
    clock = {"scale": 10, "origin": 0}
    ready = {"aws": url, "smtp": "127.0.0.1:1", "region": "us-west-2", "account": "1", "pid": 1, "clock": clock}
    ready["credentials"] = {"access_key_id": "test", "secret_access_key": "test"}
    note = tmp_path / ".kit" / FILE
    note.parent.mkdir()
    note.write_text(json.dumps({"pid": 1, "readiness": ready, "stack": {"name": stack.name, "outputs": stack.outputs}}))
    assert "no cloud is running" in failing(capsys, "status")[1]
    assert not note.exists()


def test_a_damaged_note_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".kit").mkdir()
    (tmp_path / ".kit" / FILE).write_text("{")
    assert FILE in failing(capsys, "status")[1]


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = failing(capsys, "run", "--set", "emulated.scael=3")
    assert code == 2
    assert "did you mean 'emulated.scale'" in said


def test_set_wants_key_and_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert "not KEY=VALUE" in failing(capsys, "run", "--set", "scale")[1]


@pytest.mark.parametrize("how", [["--mode", "live"], ["--set", "mode=live"]])
def test_live_refuses_images_that_only_this_machine_knows_before_it_asks_an_account(
    how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = failing(capsys, "run", *how)
    assert code == 2
    assert "names no registry that AWS could pull it from" in said


def test_an_image_without_a_program_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kit.toml").write_text('[stack.parameters]\nEditImage = "me/edit:1"\n')
    code, said = failing(capsys, "up")
    assert code == 2
    assert "no program for image 'me/edit:1'" in said
    assert not list(tmp_path.glob(".kit/**/cloud.log"))


def test_a_missing_git_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, said = failing(capsys, "up")
    assert code == 2
    assert "git is not installed" in said


def test_a_template_that_is_no_yaml_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.yaml").write_text("Resources: [")
    code, said = failing(capsys, "up", "--set", "stack.template=broken.yaml")
    assert code == 2
    assert "not YAML" in said


def test_without_a_run_there_is_no_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no run" in failing(capsys, "report")[1]


def test_the_module_runs_as_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "webordinary_testkit.kit", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert done.stdout.startswith("webordinary-test-kit")
