"""The main job as a user meets it: `kit up`, a mail, its page; then what the idle cloud costs."""

from __future__ import annotations

import json
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from benchmarks.figures import Figure
from benchmarks.processes import Running, cpu_seconds, resident_megabytes

_ROUNDS = 5
_IDLE_SECONDS = 10.0


def measure() -> Iterator[Figure]:
    ready, cold, warm, memory, idle = [], [], [], [], []
    for round_ in range(_ROUNDS):
        with _kit_up() as cloud:
            ready.append(cloud.seconds)
            seconds, session = _change(cloud, "cold", None)
            cold.append(seconds)
            warm += [_change(cloud, f"warm {n}", session)[0] for n in range(3)]
            _wait_for_zero(cloud)
            if round_ == 0:
                memory.append(resident_megabytes(cloud.pid))
                before = cpu_seconds(cloud.pid)
                time.sleep(_IDLE_SECONDS)
                idle.append((cpu_seconds(cloud.pid) - before) / _IDLE_SECONDS * 100)
    yield Figure("cloud ready, stack deployed", statistics.median(ready), "s", 3)
    yield Figure("cold mail → change visible, scale 60", statistics.median(cold), "s", 3)
    yield Figure("warm mail → change visible, scale 60", statistics.median(warm), "s", 0.3)
    yield Figure("`email_to_preview` + `cold_start`, all in all", _whole_run(), "s", 20)
    yield Figure("memory of the idle cloud, its guardian included", memory[0], "MB", 200)
    yield Figure("CPU of the idle cloud, scale 60", idle[0], "% of a core")


@contextmanager
def _kit_up() -> Iterator[Running]:
    """`pid` is the cloud's, not the command's."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        argv = [sys.executable, "-m", "webordinary_testkit.kit", "up", "--json", "--scale", "60"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
            assert process.stdout is not None
            ready: dict[str, Any] = json.loads(process.stdout.readline())
            seconds = time.perf_counter() - began
            children = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
            pairs = [tuple(map(int, line.split())) for line in children.stdout.splitlines()]
            cloud = next(pid for pid, parent in pairs if parent == process.pid)
            try:
                yield Running(ready["aws"], cloud, ready, seconds)
            finally:
                process.terminate()
                process.wait(20)


def _change(cloud: Running, title: str, session: str | None) -> tuple[float, str]:
    """Mail in, page out: wall seconds, and the session that served it."""
    ready = cloud.ready
    mail = EmailMessage()
    mail["From"], mail["To"] = f"bench@{ready['client_domain']}", ready["mail_to"]
    mail["Subject"] = "bench"
    reference = "" if session is None else f"\n\nConversation ID: {_thread(cloud, session)}"
    mail.set_content(f'Add a new page called "{title}"{reference}')
    host, _, port = ready["smtp"].partition(":")
    slug = title.replace(" ", "-")
    began = time.perf_counter()
    with smtplib.SMTP(host, int(port)) as smtp:
        smtp.send_message(mail)
    with httpx.Client() as http:
        while time.perf_counter() - began < 60:
            session = session or _session(cloud)
            if session is not None:
                answer = http.get(f"{ready['alb']}/session/{session}/{slug}")
                if answer.status_code == 200 and title in answer.text:
                    return time.perf_counter() - began, session
            time.sleep(0.01)
    raise TimeoutError(f"the page {title!r} did not appear within 60 s")


def _rows(cloud: Running) -> list[dict[str, Any]]:
    table = cloud.ready["outputs"]["SessionsTableName"]
    rows: list[dict[str, Any]] = cloud.client("dynamodb").scan(TableName=table)["Items"]
    return rows


def _session(cloud: Running) -> str | None:
    rows = _rows(cloud)
    return rows[0]["sessionId"]["S"] if rows else None


def _thread(cloud: Running, session: str) -> str:
    return next(row["threadId"]["S"] for row in _rows(cloud) if row["sessionId"]["S"] == session)


def _wait_for_zero(cloud: Running) -> None:
    ecs, cluster = cloud.client("ecs"), cloud.ready["outputs"]["ClusterName"]
    deadline = time.monotonic() + 60
    while ecs.list_tasks(cluster=cluster)["taskArns"]:
        if time.monotonic() > deadline:
            raise TimeoutError("the services did not go back to zero within 60 s")
        time.sleep(0.1)


def _whole_run() -> float:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-m", "webordinary_testkit.kit", "run", "email_to_preview", "cold_start"]
        began = time.perf_counter()
        subprocess.run(argv, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        report = json.loads((Path(folder) / ".kit" / "latest" / "report.json").read_text())
        if report["verdict"] != "pass":
            raise RuntimeError(f"the run did not pass: {report['counts']}")
    return seconds
