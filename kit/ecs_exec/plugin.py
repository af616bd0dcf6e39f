"""`session-manager-plugin`, as the AWS CLI calls it: an interactive terminal over the data channel.

It takes the arguments of AWS's plugin and is used where AWS's is not installed. Unlike AWS's, it keeps reading output
when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .channel import CLIENT_VERSION, ChannelError, DataChannel, open_channel

_RESPONSE_VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"
NAME = "session-manager-plugin"
_BANNER = "\nThe Session Manager plugin was installed successfully. Use the AWS CLI to start a session.\n\n"


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 after a session, 1 when it could not be opened, 2 for invalid arguments."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments:
        sys.stdout.write(_BANNER)
        return 0
    if arguments[0] == "--version":
        sys.stdout.write(CLIENT_VERSION + "\n")
        return 0
    try:
        given = arguments[0]
        if given.startswith(_RESPONSE_VARIABLE):
            given = os.environ.pop(given, "")
        session = {key[:1].lower() + key[1:]: value for key, value in json.loads(given).items()}
        session["streamUrl"], session["tokenValue"]
    except (ValueError, KeyError, AttributeError) as error:
        sys.stderr.write(f"session-manager-plugin: expected the session as JSON from the AWS CLI, got {error!r}\n")
        return 2
    region = arguments[1] if len(arguments) > 1 else "us-east-1"
    profile = arguments[3] if len(arguments) > 3 and arguments[3] else None
    try:
        return asyncio.run(_interact(session, region, profile))
    except ChannelError as error:
        sys.stderr.write(f"\n{error}\n")
        return 1
    except BrokenPipeError:  # the reader closed the pipe, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # otherwise Python reports it again at exit
        return 0


def write_launcher(folder: Path) -> Path:
    """Write a program called `session-manager-plugin` that runs this module, for a PATH; returns its path.

    It is no console script of the distribution: that would hide AWS's plugin wherever the kit is installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / NAME
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m {__name__} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


async def _interact(session: dict[str, str], region: str, profile: str | None) -> int:
    from botocore.session import Session  # noqa: PLC0415 - 0.2 s that --version need not wait for

    credentials = Session(profile=profile).get_credentials()
    session_id = session.get("sessionId", "")
    sys.stdout.write(f"\nStarting session with SessionId: {session_id}\n")
    sys.stdout.flush()
    async with open_channel(session, credentials=credentials, region=region) as channel:
        with _raw_terminal():
            keys = asyncio.create_task(_forward_input(channel))
            await _resize(channel)
            with suppress(NotImplementedError, ValueError, AttributeError):
                asyncio.get_running_loop().add_signal_handler(
                    signal.SIGWINCH, lambda: asyncio.ensure_future(_resize(channel))
                )
            try:
                async for chunk in channel.output():
                    os.write(1, chunk)
            finally:
                keys.cancel()
    said = channel.closed_with or ""
    sys.stdout.write(
        f"\n\nSessionId: {session_id} : {said}\n\n"
        if said
        else f"\n\nExiting session with sessionId: {session_id}.\n\n"
    )
    return 0


async def _forward_input(channel: DataChannel) -> None:
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        while True:
            try:
                data = os.read(0, 1024)
            except OSError:
                return
            if not data:
                return
            with suppress(RuntimeError):  # the session ended while a key was being read
                loop.call_soon_threadsafe(typed.put_nowait, data)

    threading.Thread(target=read, daemon=True, name="stdin").start()
    while True:
        data = await typed.get()
        await channel.send(b"\r" if data == b"\n" else data)


async def _resize(channel: DataChannel) -> None:
    columns, rows = shutil.get_terminal_size((80, 24))
    await channel.resize(columns, rows)


@contextmanager
def _raw_terminal() -> Iterator[None]:
    """Pass on keys as typed, Ctrl-C included; restores the terminal at the end."""
    if not sys.stdin.isatty():
        yield
        return
    import termios  # noqa: PLC0415 - not on Windows
    import tty  # noqa: PLC0415

    before = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSADRAIN)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


if __name__ == "__main__":
    sys.exit(main())
