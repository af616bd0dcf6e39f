"""The cloud as a child process: readiness, refusal, lifeline."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from webordinary_testkit.kit.backends.emulated.child import Child, environment
from webordinary_testkit.kit.core.errors import InfraError, UsageError

READY = 'import sys; print(\'{"aws": "x"}\', flush=True); sys.stdin.read()'


def child(tmp_path: Path, program: str) -> Child:
    return Child([sys.executable, "-c", program], tmp_path / "cloud.log", os.environ)


def test_the_readiness_line_is_returned_and_closing_the_lifeline_ends_it(tmp_path: Path) -> None:
    cloud = child(tmp_path, READY)
    assert cloud.ready(10) == {"aws": "x"}
    assert cloud.ended() is None
    cloud.stop()
    assert "exit code 0" in (cloud.ended() or "")


def test_exit_code_2_is_a_usage_error_with_what_was_said(tmp_path: Path) -> None:
    cloud = child(tmp_path, "import sys; print('port 80 is taken', file=sys.stderr); sys.exit(2)")
    with pytest.raises(UsageError, match="port 80 is taken"):
        cloud.ready(10)
    cloud.stop()


def test_any_other_end_is_the_grounds(tmp_path: Path) -> None:
    cloud = child(tmp_path, "raise RuntimeError('boom')")
    with pytest.raises(InfraError, match=r"exit code 1[\s\S]*RuntimeError: boom"):
        cloud.ready(10)
    cloud.stop()


def test_a_cloud_that_is_never_ready_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    cloud = child(tmp_path, "import sys; sys.stdin.read()")
    with pytest.raises(InfraError, match=r"not ready within 0\.2 s"):
        cloud.ready(0.2)
    cloud.stop()


def test_what_takes_its_time_is_handed_on_and_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    cloud = child(
        tmp_path,
        f"""
print('{{"progress": "pulling x"}}', flush=True)
import pathlib
while not pathlib.Path({str(tmp_path / "go")!r}).exists(): pass
print('{{"progress": "pulled x"}}', flush=True)
{READY}""",
    )

    def say(text: str) -> None:
        said.append(text)
        threading.Timer(0.6, (tmp_path / "go").touch).start()  # long after it would have had to be ready

    assert cloud.ready(0.5, say) == {"aws": "x"}
    assert said == ["pulling x", "pulled x"]
    cloud.stop()


def test_what_it_was_at_is_told_when_even_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webordinary_testkit.kit.backends.emulated.child.PULLED_WITHIN", 0.5)
    cloud = child(tmp_path, 'print(\'{"progress": "pulling x"}\', flush=True); import sys; sys.stdin.read()')
    with pytest.raises(InfraError, match=r"not ready within 0\.5 s; its last progress: pulling x"):
        cloud.ready(0.4)
    cloud.stop()


def test_a_first_line_that_is_no_json_object_is_shown(tmp_path: Path) -> None:
    cloud = child(tmp_path, "print('hello', flush=True); import sys; sys.stdin.read()")
    with pytest.raises(InfraError, match="hello"):
        cloud.ready(10)
    cloud.stop()


def test_exceptions_in_its_log_are_told_once(tmp_path: Path) -> None:
    noisy = "import logging, sys\ntry: {}['x']\nexcept KeyError: logging.exception('oops')\n"
    cloud = child(tmp_path, f"{noisy}{READY}")
    cloud.ready(10)
    assert cloud.new_exceptions() == ["KeyError: 'x'"]
    assert cloud.new_exceptions() == []
    cloud.stop()


def test_a_cloud_that_ignores_its_lifeline_is_ended_by_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webordinary_testkit.kit.backends.emulated.child._STOP_WITHIN", 0.2)
    cloud = child(tmp_path, READY.replace("sys.stdin.read()", "import time; time.sleep(60)"))
    cloud.ready(10)
    cloud.stop()
    assert "exit code -15" in (cloud.ended() or "")


def test_when_its_parent_is_killed_the_child_ends(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    program = f"{READY}; open({str(ended)!r}, 'w').close()"
    parent = f"""
import os, sys
from pathlib import Path
from webordinary_testkit.kit.backends.emulated.child import Child
cloud = Child([sys.executable, "-c", {program!r}], Path({str(tmp_path / "cloud.log")!r}), os.environ)
cloud.ready(10)
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", parent], check=False, timeout=30)
    deadline = time.monotonic() + 10
    while not ended.exists():
        assert time.monotonic() < deadline, "the child outlived its parent"
        time.sleep(0.01)


def test_aws_variables_do_not_reach_the_cloud() -> None:
    assert environment({"AWS_PROFILE": "personal", "PATH": "/bin"}) == {"PATH": "/bin"}
