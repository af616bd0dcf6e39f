"""The programs that are measured, as child processes: the emulated cloud, moto_server, nginx."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config


@dataclass(frozen=True)
class Running:
    url: str
    pid: int
    ready: dict[str, Any]
    seconds: float
    """Wall seconds from start to ready."""

    def client(self, service: str) -> Any:
        keys = self.ready.get("credentials", {"access_key_id": "benchmark", "secret_access_key": "benchmark"})
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-west-2",
            aws_access_key_id=keys["access_key_id"],
            aws_secret_access_key=keys["secret_access_key"],
            config=Config(retries={"total_max_attempts": 1}),
        )


@contextmanager
def emulated_cloud(**config: Any) -> Iterator[Running]:
    began = time.perf_counter()
    argv = [sys.executable, "-m", "webordinary_testkit.emulation", "--config", json.dumps({"scale": 60, **config})]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            yield Running(ready["aws"], process.pid, ready, time.perf_counter() - began)
        finally:
            process.stdin.close()
            process.wait(20)


@contextmanager
def moto_server() -> Iterator[Running]:
    port = free_port()
    began = time.perf_counter()
    argv = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for_port(port)
            yield Running(f"http://127.0.0.1:{port}", process.pid, {}, time.perf_counter() - began)
        finally:
            process.terminate()


@contextmanager
def nginx(upstream_port: int) -> Iterator[int | None]:
    """nginx as a reverse proxy, WebSockets included; yields its port, None where nginx is not installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "nginx.conf"
        configuration.write_text(
            f"""daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
            events {{ worker_connections 512; }}
            http {{ access_log off; keepalive_requests 10000000;
              client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
              fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
              upstream target {{ server 127.0.0.1:{upstream_port}; keepalive 64; keepalive_requests 10000000; }}
              map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
              server {{ listen 127.0.0.1:{port};
                location / {{ proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Host $host;
                  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; }} }} }}"""
        )
        with subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL) as process:
            try:
                wait_for_port(port)
                yield port
            finally:
                process.terminate()


def resident_megabytes(pid: int) -> float:
    """RSS of a process and its children, MB (Linux's /proc; elsewhere `ps`)."""
    answer = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)
    rows = [tuple(map(int, line.split())) for line in answer.stdout.splitlines()]
    family = {pid}
    for _ in range(4):
        family |= {child for child, parent, _ in rows if parent in family}
    return sum(rss for one, _, rss in rows if one in family) / 1024


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
