"""Deploy or update the stack in the account, and keep it for live runs.

Without reuse a run deploys and deletes its stack; with `--set live.reuse=true` it uses this one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..settings import Settings

HELP = "deploy the stack to the account and leave it there"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the stack's outputs as JSON, and nothing else")


def run(args: argparse.Namespace) -> int:
    settings = common.load_settings(args, mode="live", live__reuse=True)
    return common.run_async(_deploy(settings, json=args.json))


async def _deploy(settings: Settings, *, json: bool) -> int:
    from ..backends.live.account import clock_of  # noqa: PLC0415 - heavy: only where an account is used
    from ..backends.live.backend import LiveBackend  # noqa: PLC0415
    from ..core.history import History  # noqa: PLC0415

    backend = LiveBackend(settings, settings.report_dir, History(clock_of(settings)), tell=None if json else common.say)
    cloud = await backend.start()
    await backend.stop(keep=True)
    if json:
        common.say_json(dict(cloud.stack.outputs))
        return 0
    for name, value in cloud.stack.outputs.items():
        common.say(f"  {name:<24} {value}")
    common.say(f"\nStack {cloud.stack.name} is there. Use it: kit run --mode live --set live.reuse=true")
    return 0
