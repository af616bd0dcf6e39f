"""Perform a kept mix again, on an emulated cloud or on AWS."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..mixes.kept import Kept
    from ..settings import Settings

HELP = "perform a mix again that kit explore has kept"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("file", nargs="+", type=Path, help="files of mixes; see kit mixes")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="so many times each (default: 1)")
    parser.add_argument("--mode", choices=("emulated", "live"), help="which cloud (default: emulated)")
    parser.add_argument("--budget", type=float, metavar="USD", help="spend at most so much, live")
    common.clock_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from ..mixes.kept import read  # noqa: PLC0415 - what --help need not wait for

    if args.times < 1:
        raise UsageError("--times is 1 or more")
    mixes = [(path, read(path)) for path in args.file]
    settings = common.load_settings(
        args, mode=args.mode, live__budget=args.budget, emulated__scale=args.scale, emulated__clock=args.clock
    )
    return common.run_async(_replay(settings, mixes, args.times))


async def _replay(settings: Settings, mixes: list[tuple[Path, Kept]], times: int) -> int:
    from ..mixes.describe import described  # noqa: PLC0415 - what --help need not wait for
    from ..mixes.exploration import replay  # noqa: PLC0415
    from ..runner.console import Console  # noqa: PLC0415
    from ..runner.run import Run  # noqa: PLC0415

    one = Run(settings, Console())
    await one.start()
    try:
        for path, kept in mixes:
            common.say(f"{path}:")
            judgements, subject = await replay(one, kept, times)
            for line in described(kept.mix, subject):
                common.say(f"  {line}")
            for judged in judgements:
                common.say(f"{judged.verdict}: {judged.text()}")
                for line in judged.witness():
                    common.say(f"  {line}")
    finally:
        await one.stop()
    return one.report.verdict.exit_code
