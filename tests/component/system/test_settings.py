"""Clock, settings and names of the reference system."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import REPOSITORY
from tests.support.system import patient
from webordinary_testkit.emulation.system import names
from webordinary_testkit.emulation.system.clock import Clock, iso
from webordinary_testkit.emulation.system.edit.config import Settings as EditSettings
from webordinary_testkit.emulation.system.edit.workspace import Workspace
from webordinary_testkit.emulation.system.hermes.config import Settings as HermesSettings
from webordinary_testkit.emulation.system.ids import derived
from webordinary_testkit.emulation.system.settings import SettingsError

EDIT = {"WORKSPACE_PATH": "/workspace", "SESSIONS_TABLE": "sessions", "PORT": "8080", "PATH": os.environ["PATH"]}
HERMES = {
    "SESSIONS_TABLE": "sessions",
    "MAIL_TABLE": "mails",
    "QUEUE_URL": "http://queue",
    "CLUSTER": "cluster",
    "EDIT_SERVICE": "edit",
    "ALB_URL": "http://alb/",
    "MAIL_FROM": "edit@example.com",
    "METRICS_NAMESPACE": "Sessions",
    "METRICS_ENVIRONMENT": "test",
    "IDLE_SECONDS": "60",
    "DEFAULT_CLIENT_ID": "acme",
    "PORT": "3000",
    "AWS_REGION": "us-west-2",
}


def test_the_clock_runs_at_its_scale_from_its_origin() -> None:
    clock = Clock.of({"CLOCK_SCALE": "60", "CLOCK_ORIGIN": str(time.time() - 10)})
    assert clock.now() - time.time() == pytest.approx(590, abs=5)


def test_the_clock_is_real_time_by_default() -> None:
    assert Clock.of({}).now() == pytest.approx(time.time(), abs=1)


async def test_sleeping_takes_the_wall_time_of_aws_seconds() -> None:
    began = time.monotonic()
    await Clock(scale=100).sleep(5)
    assert 0.05 <= time.monotonic() - began < 2


@pytest.mark.parametrize("scale", ["0", "-1", "fast"])
def test_a_clock_that_cannot_run_is_refused(scale: str) -> None:
    with pytest.raises(ValueError, match="CLOCK_SCALE"):
        Clock.of({"CLOCK_SCALE": scale})


def test_times_are_written_as_javascript_writes_them() -> None:
    assert iso(1_700_000_000.5) == "2023-11-14T22:13:20.500Z"


@pytest.mark.parametrize("missing", ["SESSIONS_TABLE", "MAIL_TABLE", "QUEUE_URL", "ALB_URL", "IDLE_SECONDS", "PORT"])
def test_hermes_names_the_variable_that_is_missing(missing: str) -> None:
    with pytest.raises(SettingsError, match=f"{missing} is not set"):
        HermesSettings.of({name: value for name, value in HERMES.items() if name != missing})


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {**HERMES, "PORT": "99999", "ALB_URL": "alb.example.com", "IDLE_SECONDS": "soon", "CLUSTER": " "}
    with pytest.raises(SettingsError) as failed:
        HermesSettings.of(wrong)
    for name in ("PORT", "ALB_URL", "IDLE_SECONDS", "CLUSTER"):
        assert name in str(failed.value)


def test_hermes_knows_the_load_balancer_without_a_slash_at_its_end() -> None:
    assert HermesSettings.of(HERMES).alb_url == "http://alb"


def test_edit_without_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="git was not found on PATH"):
        EditSettings.of({**EDIT, "PATH": str(tmp_path)})


@pytest.mark.parametrize("program", ["hermes", "edit"])
def test_a_program_without_settings_exits_with_2_and_names_them(program: str) -> None:
    done = _program(program, {})
    assert done.returncode == 2
    assert "SESSIONS_TABLE is not set" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told_with_the_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = _program("edit", {**EDIT, "WORKSPACE_PATH": str(tmp_path), "PORT": port})
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def _program(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"webordinary_testkit.emulation.system.{name}"]
    root = REPOSITORY
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False, cwd=root)


@pytest.mark.parametrize("user", ["test@example.com", "ann.b+site@example.co.uk", "user_1", "a-b@x.y", "O@x"])
def test_ordinary_users_are_taken(user: str) -> None:
    assert names.user_folder(user) == user.partition("@")[0].lower()


@pytest.mark.parametrize(
    "user",
    [
        "",
        ".",
        "..",
        "../x@y.z",
        "a/b@y.z",
        "a\\b@y.z",
        "a b@y.z",
        "~@y.z",
        "a..b@y.z",
        "x.lock@y.z",
        "x.@y.z",
        "$(id)@y.z",
        "a@",
        "@y.z",
        "a@b@c",
        "a@y..z",
        "-x@y.z",
        "é@y.z",
        "a\n@y.z",
        "a@y.z\n",
        "a\x00@y.z",
        "x" * 65 + "@y.z",
        7,
        None,
    ],
)
def test_users_that_could_become_other_paths_are_refused(user: object) -> None:
    with pytest.raises(names.InvalidName, match="userId"):
        names.user_id(user)


@patient
@given(st.text())
def test_no_client_or_user_leads_out_of_the_workspace(text: str) -> None:
    workspace = Workspace(Path("/workspace"), Clock())
    for client, user in ((text, "test@example.com"), ("client", text), (text, text)):
        try:
            path = workspace.project(client, user)
        except names.InvalidName:
            continue
        assert path.parts[:2] == ("/", "workspace")
        assert len(path.parts) == 5
        assert ".." not in path.parts


def test_a_link_out_of_the_workspace_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace/acme").symlink_to(tmp_path)
    with pytest.raises(names.InvalidName, match="leads out"):
        Workspace(tmp_path / "workspace", Clock()).project("acme", "ann@example.com")


def test_a_thread_may_be_named_with_or_without_its_prefix() -> None:
    assert names.branch("thread-abc") == names.branch("abc") == "thread-abc"


def test_derived_ids_depend_on_every_part() -> None:
    assert derived("a", "b") == derived("a", "b")
    assert len({derived("a", "b"), derived("ab", ""), derived("a", "b", ""), derived("b", "a")}) == 4


async def test_a_lock_is_held_by_one_at_a_time_also_among_tasks(tmp_path: Path) -> None:
    order: list[str] = []
    one, other = (Workspace(tmp_path, Clock(60)) for _ in range(2))
    one.set_up()

    async def hold(workspace: Workspace, name: str) -> None:
        async with workspace.lock("x"):
            order.append(f"{name} in")
            await asyncio.sleep(0.02)
            order.append(f"{name} out")

    await asyncio.gather(*(hold(workspace, name) for name, workspace in (("a", one), ("b", other), ("c", one))))
    assert all(out == into.replace("in", "out") for into, out in zip(order[::2], order[1::2], strict=True))
