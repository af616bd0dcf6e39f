"""Shared by the commands: settings from the command line, the event loop, output."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import shutil
import signal
import sys
import textwrap
from collections.abc import Coroutine, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...awsclock.loop import run
from ..core.errors import UsageError

if TYPE_CHECKING:
    from ..settings import Settings


_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def settings_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file (default: kit.toml)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="one setting, for example timeouts.reply=300"
    )


def clock_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clock",
        choices=("autojump", "scaled", "real"),
        help="how AWS time passes (default: autojump where every program can be watched, else scaled)",
    )
    parser.add_argument("--scale", type=float, help="speed of AWS time, scaled (default: 60; 20 in containers)")


def scenarios_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenarios",
        action="append",
        metavar="MODULE",
        help="a module or package of your own scenarios, may be repeated; without names, these are run",
    )


def load_settings(args: argparse.Namespace, *, defaults: Mapping[str, Any] | None = None, **overrides: Any) -> Settings:
    """The settings with those of the command line; `overrides` are `section__key` or `key`, None is ignored."""
    from ..settings import load  # noqa: PLC0415 - pydantic, which --help need not wait for

    values: dict[str, Any] = {}
    for text in args.set:
        key, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--set {text}: not KEY=VALUE", next="for example: --set emulated.scale=10")
        _put(values, key.strip().split("."), _value(value))
    for name, value in overrides.items():
        if value is not None:
            _put(values, name.split("__"), value)
    return load(values, defaults=defaults, file=args.settings)


def run_async(work: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine; SIGTERM cancels it as Ctrl-C does."""

    async def guarded() -> int:
        task = asyncio.current_task()
        assert task is not None
        with contextlib.suppress(NotImplementedError):  # Windows' event loops have no signal handlers
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return run(guarded())
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM


def seconds_of(text: str) -> float:
    """Seconds of a duration such as `90s`, `10m`, `1.5h` or `90`. Raises `UsageError`."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None or float(match[1]) == 0:
        raise UsageError(f"{text!r} is no duration", next="for example 90s, 10m or 1h")
    return float(match[1]) * _UNITS[match[2] or "s"]


def say(text: str = "") -> None:
    """One line for people, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_list(head: str, values: Iterable[str], *, indent: int) -> None:
    """Values separated by commas behind `head`; in a terminal, wrapped at its width with this indentation."""
    line = f"{head}{', '.join(values)}"
    if sys.stdout.isatty():
        width = max(shutil.get_terminal_size().columns - 1, indent + 20)
        line = textwrap.fill(
            line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
        )
    say(line)


def say_json(value: object, *, indent: int | None = 2) -> None:
    """JSON for programs, at once."""
    say(json.dumps(value, indent=indent, default=str))


def _put(values: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _value(text: str) -> Any:
    """Numbers, lists and tables as JSON; anything else is text. An account id stays text by its quotes or length."""
    if text.isdigit() and len(text) == 12:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
