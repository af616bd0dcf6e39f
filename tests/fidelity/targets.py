"""The clouds that facts are asked of: the emulated one, moto's server from PyPI, any endpoint, and AWS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import boto3
import httpx

from webordinary_testkit.emulation.cloud import Cloud
from webordinary_testkit.emulation.config import CloudConfig
from webordinary_testkit.emulation.wiring import everything

from .perform import Target

STARTS_WITHIN = 60.0
"""Wall seconds for a cloud to start or stop."""
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@contextlib.contextmanager
def emulated(scale: float = 10.0) -> Iterator[Target]:
    """A fresh emulated cloud in this process, with everything in it."""
    config = CloudConfig(scale=scale, insecure_keys="test")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    cloud = Cloud(config, everything)
    try:
        asyncio.run_coroutine_threadsafe(cloud.start(), loop).result(STARTS_WITHIN)
        yield Target("emulated", cloud.gateway.url, config.region, config.account, KEYS, scale)
    finally:
        asyncio.run_coroutine_threadsafe(cloud.stop(), loop).result(STARTS_WITHIN)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contextlib.contextmanager
def moto_server() -> Iterator[Target]:
    """The unchanged server of the installed moto, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        yield Target("moto_server", url, "us-west-2", "123456789012", KEYS)
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def endpoint(url: str) -> Iterator[Target]:
    """Any AWS-compatible endpoint, with the keys of the environment, or any."""
    yield Target(url, url, "us-west-2", "123456789012", KEYS)


@contextlib.contextmanager
def aws() -> Iterator[Target]:
    """The account of the environment's keys. What facts create there costs little and stays: use an empty account."""
    session = boto3.session.Session()
    account = session.client("sts").get_caller_identity()["Account"]
    yield Target("AWS", None, session.region_name, account)


def _wait_for(url: str) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while True:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(url)
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{url} did not answer within {STARTS_WITHIN:.0f} s")
        time.sleep(0.1)
