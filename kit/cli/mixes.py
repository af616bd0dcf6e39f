"""List the kept mixes, show them as readable steps, or make one smaller."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..mixes.kept import Kept
    from ..settings import Settings

HELP = "list and show the mixes that kit explore has kept, or make one smaller"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("file", nargs="*", type=Path, help="files to show as steps (default: list all)")
    parser.add_argument("--minimise", metavar="TIME", help="make one smaller on a cloud, for so long, such as 2m")
    parser.add_argument("--mode", choices=("emulated", "live"), help="which cloud (default: emulated)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    from ..mixes import kept  # noqa: PLC0415 - what --help need not wait for

    settings = common.load_settings(args, mode=args.mode)
    if args.minimise:
        if len(args.file) != 1:
            raise UsageError("--minimise takes one file of a mix", next="kit mixes lists them")
        return common.run_async(_minimise(settings, kept.read(args.file[0]), common.seconds_of(args.minimise)))
    files = [(path, kept.read(path)) for path in args.file] or kept.all_in(settings.report_dir / kept.FOLDER)
    if args.json:
        common.say_json([{"file": str(path), **one.to_json()} for path, one in files])
    elif args.file:
        for path, one in files:
            _show(settings, path, one)
    elif not files:
        common.say(f"no mixes are kept in {settings.report_dir / kept.FOLDER}: kit explore looks for one")
    else:
        for path, one in files:
            first = next(iter(one.findings.values()), "nothing found")
            common.say(f"{path}  {one.mix.size:2} action(s)  failed {one.failed} of {one.repeated}  {first}")
    return 0


def _show(settings: Settings, path: Path, one: Kept) -> None:
    from ..mixes.describe import described  # noqa: PLC0415 - what --help need not wait for
    from ..mixes.registry import subject_of  # noqa: PLC0415

    common.say(f"{path}:")
    for line in described(one.mix, subject_of(settings)):
        common.say(f"  {line}")
    for name, message in one.findings.items():
        common.say(f"{name}: {message}")
    for line in one.witness:
        common.say(f"  {line}")


async def _minimise(settings: Settings, one: Kept, seconds: float) -> int:
    from ..mixes.exploration import minimise  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..mixes.kept import FOLDER  # noqa: PLC0415
    from ..runner.console import Console  # noqa: PLC0415
    from ..runner.run import Run  # noqa: PLC0415

    run = Run(settings, Console())
    await run.start()
    try:
        smaller = await minimise(run, one, seconds)
        if smaller is None:
            common.say("it does not fail any more")
        else:
            _show(settings, settings.report_dir / FOLDER / f"{smaller.mix.id}.json", smaller)
    finally:
        await run.stop()
    return run.report.verdict.exit_code
