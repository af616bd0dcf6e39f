"""`python -m emulation`: runs an emulated cloud until its stdin closes, SIGINT or SIGTERM.

Prints one JSON line on stdout when the cloud is ready; before it, a line `{"progress": …}` for each slow step, such as
pulling an image. Exit codes: 0 after an orderly end, 2 for unusable settings or ports.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from ..awsclock.loop import run
from .config import CloudConfig, from_json
from .core import progress_lines


def main(argv: list[str] | None = None) -> int:
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    # The event loop waits this long for moto's thread, which delays load balancers.
    sys.setswitchinterval(0.001)
    try:
        config = _settings(argv)
        return run(_run(config))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"python -m emulation: {error}\n")
        return 2


def _settings(argv: list[str] | None) -> CloudConfig:
    parser = argparse.ArgumentParser(
        prog="python -m emulation", description="An emulated AWS cloud on 127.0.0.1, until stdin closes."
    )
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--config", metavar="JSON", help='settings, for example \'{"scale": 60, "port": 4566}\'')
    given.add_argument("--config-file", metavar="PATH", type=Path, help="the same in a file")
    arguments = parser.parse_args(argv)
    if arguments.config_file is not None:
        return from_json(arguments.config_file.read_text(), str(arguments.config_file))
    return from_json(arguments.config or "{}", "--config")


async def _run(config: CloudConfig) -> int:
    from .cloud import Cloud  # noqa: PLC0415
    from .wiring import everything  # noqa: PLC0415 - heavy: not for --help or wrong settings

    stop = _stop_requests()
    cloud = Cloud(config, everything)
    started = asyncio.create_task(cloud.start())
    stopped = asyncio.create_task(stop.wait())
    with progress_lines.progress_on_stdout():
        await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
    try:
        if not started.done():
            started.cancel()
            await asyncio.wait({started})
            return 0
        started.result()
        sys.stdout.write(json.dumps(cloud.readiness()) + "\n")
        sys.stdout.flush()
        cloud.base.warm()
        await stopped
        return 0
    finally:
        stopped.cancel()
        if started.done() and not started.cancelled() and started.exception() is None:
            await cloud.stop()


def _stop_requests() -> asyncio.Event:
    """Set by SIGINT, SIGTERM, or the end of stdin, which means that the parent is gone."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def wait_for_parent() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:  # no stdin at all
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait_for_parent, name="lifeline", daemon=True).start()
    return stop


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is closed; freeing 170 MB of objects only takes time
