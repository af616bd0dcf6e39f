"""Run the live backend against an emulated cloud in place of AWS. Costs nothing."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..backends.emulated.rehearsal import Account, Rehearsal
    from ..settings import Settings

HELP = "run scenarios as live ones, against a stand-in for AWS"

_SCALE = 60
"""The live backend has no part in the stand-in's clock, so AWS time is scaled."""


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("scenario", nargs="*", help="names, as kit scenarios lists them; all for every one")
    common.scenarios_argument(parser)
    parser.add_argument("--mix", action="append", type=Path, metavar="FILE", help="a kept mix instead; may be repeated")
    parser.add_argument("--scale", type=float, help="speed of AWS time (default: 60)")
    parser.add_argument(
        "--hold",
        action="store_true",
        help="run nothing: print the variables that point live commands and AWS clients at the stand-in, until Ctrl-C",
    )


def run(args: argparse.Namespace) -> int:
    settings = common.load_settings(
        args, defaults={"emulated": {"scale": _SCALE}}, mode="emulated", emulated__scale=args.scale
    )
    return common.run_async(_run(args, settings))


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    from ..backends.emulated.rehearsal import Rehearsal, aimed  # noqa: PLC0415 - heavy: only where a cloud is started

    with tempfile.TemporaryDirectory(prefix="kit-rehearsal-") as scratch:
        folder = settings.report_dir / "rehearsal" if args.hold else Path(scratch)
        rehearsal = Rehearsal(settings, folder)
        account = await rehearsal.start()
        try:
            if args.hold:
                return await _hold(rehearsal, account)
            with aimed(account):
                return await _scenarios(args, folder)
        finally:
            await asyncio.to_thread(rehearsal.stop)


async def _scenarios(args: argparse.Namespace, stand_in: Path) -> int:
    from ..backends.emulated.rehearsal import CALLS  # noqa: PLC0415
    from ..mixes.exploration import replay  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..mixes.kept import read  # noqa: PLC0415
    from ..runner.console import Console  # noqa: PLC0415
    from ..runner.run import Run  # noqa: PLC0415
    from ..scenarios.registry import select  # noqa: PLC0415

    settings = common.load_settings(args, scenarios=args.scenarios)
    one = Run(settings, Console())
    kept = [read(path) for path in args.mix or ()]
    scenarios = [] if kept else select(args.scenario, settings.scenarios)
    one.announce_skipped(scenarios)
    await one.start()
    try:
        await one.execute_all(scenarios)
        for each in kept:
            await replay(one, each, times=1)
    finally:
        await one.stop()
        shutil.copy(stand_in / CALLS, one.folder / CALLS)
    return one.report.verdict.exit_code


async def _hold(rehearsal: Rehearsal, account: Account) -> int:
    from ..core.clock import Clock  # noqa: PLC0415

    for name, value in account.environment().items():
        common.say(f"export {name}={shlex.quote(value)}")
    common.say("# in another terminal: kit deploy, kit run, kit destroy; Ctrl-C ends the stand-in")
    clock = Clock()
    while (ended := rehearsal.health()) is None:
        await clock.sleep_wall(1)
    common.say(f"# {ended}")
    return 4
