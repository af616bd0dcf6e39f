"""Starts both programs quickly and stops them on a signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from ...awsclock.loop import run as run_loop
from .clock import Clock

log = logging.getLogger(__name__)


@contextmanager
def quick_imports(*, tls: bool) -> Iterator[None]:
    """Import the heavy libraries inside this: about a third faster.

    Importing aiohttp loads the system's CA certificates twice (70 ms); a program that speaks plain HTTP to
    its neighbours (`tls=False`) does without. botocore brings certificates of its own. The collector
    would only walk, again and again, modules that stay for good.
    """
    certificates = os.environ.get("SSL_CERT_FILE")
    if not tls:
        os.environ["SSL_CERT_FILE"] = os.devnull
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        if not tls:
            os.environ.pop("SSL_CERT_FILE")
            if certificates is not None:
                os.environ["SSL_CERT_FILE"] = certificates


def bound(program: str, host: str, port: int) -> socket.socket:
    """A listening socket, or exit status 2 with a line on stderr that says why there is none.

    It listens before the slow imports: who comes early waits for a moment, and is not refused.
    """
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        sys.stderr.write(f"{program}: cannot listen on {host}:{port}: {error.strerror or error}. Set PORT or HOST.\n")
        raise SystemExit(2) from None


def run(program: Callable[[asyncio.Event], Awaitable[None]], clock: Clock) -> None:
    """Run until the program ends; SIGTERM and SIGINT set the event it is given. Exit status 1 if it failed."""

    async def main() -> None:
        clock.take_part()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await program(stop)

    status = 0
    try:
        run_loop(main())
    except Exception:
        log.critical("the program failed", exc_info=True)
        status = 1
    sys.stdout.flush()
    # Not sys.exit: the interpreter would wait for threads that are in the middle of a call to AWS.
    os._exit(status)


async def first_failure_or(stop: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Return when `stop` is set; raise what made one of the tasks fail, or end, before that."""
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    for task in tasks:
        if task.done() and not stop.is_set():
            task.result()
            raise RuntimeError(f"{task.get_name()} ended without being stopped")
