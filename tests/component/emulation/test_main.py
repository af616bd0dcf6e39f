"""`python -m emulation` as a parent process meets it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

COMMAND = [sys.executable, "-m", "webordinary_testkit.emulation"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        yield process, json.loads(line)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def refused(*arguments: str) -> str:
    """What is said on stderr by a run that ends with exit code 2."""
    done = subprocess.run([*COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    return done.stderr


def test_the_readiness_line_says_where_everything_is_and_stdins_end_is_the_end() -> None:
    with running("--config", '{"scale": 30, "region": "eu-central-1"}') as (process, ready):
        assert (ready["region"], ready["account"], ready["pid"]) == ("eu-central-1", "123456789012", process.pid)
        assert ready["clock"]["scale"] == 30
        assert abs(ready["clock"]["origin"] - time.time()) < 60
        with urlopen(ready["aws"] + "/_emulation/health") as answer:
            assert json.load(answer) == {"status": "ok"}
        host, port = ready["smtp"].split(":")
        with socket.create_connection((host, int(port))) as door:
            assert door.recv(3) == b"220"
        workdir = Path(ready["workdir"])
        assert workdir.is_dir()

        assert process.stdin is not None and process.stderr is not None
        process.stdin.close()
        assert process.wait(10) == 0
        assert not workdir.exists()
        assert process.stderr.read() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(number: signal.Signals) -> None:
    with running() as (process, ready):
        process.send_signal(number)

        assert process.wait(10) == 0
        assert not Path(ready["workdir"]).exists()


def test_killed_it_leaves_nothing_behind() -> None:
    with running() as (process, ready):
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while Path(ready["workdir"]).exists() and time.monotonic() < deadline:
            time.sleep(0.01)

        assert not Path(ready["workdir"]).exists()


def test_settings_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "cloud.json"
    file.write_text(json.dumps({"account": "111122223333", "record": str(tmp_path / "calls.jsonl")}))

    with running("--config-file", str(file)) as (_, ready):
        assert ready["account"] == "111122223333"
    assert (tmp_path / "calls.jsonl").exists()


def test_a_wrong_key_is_refused_at_once() -> None:
    assert "--config: unknown key 'scal'; there are account" in refused("--config", '{"scal": 1}')


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused("--config-file", str(tmp_path / "none.json"))


@pytest.mark.parametrize("key", ["port", "smtp_port"])
def test_a_taken_port_is_refused(key: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = subprocess.Popen(
            [*COMMAND, "--config", json.dumps({key: port})], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        process.wait(20)
        _, said = process.communicate()

    assert process.returncode == 2
    assert str(port) in said
    assert "Traceback" not in said
