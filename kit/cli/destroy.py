"""Delete the stack of the settings from the account, if it has the kit's tags.

A stack that does not exist is fine. One in use, and one of another owner, is left alone.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..settings import Settings

HELP = "delete the stack from the account"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return common.run_async(_destroy(common.load_settings(args, mode="live")))


async def _destroy(settings: Settings) -> int:
    from ..backends.live.account import clock_of  # noqa: PLC0415 - heavy: only where an account is used
    from ..backends.live.backend import LiveBackend  # noqa: PLC0415
    from ..core.history import History  # noqa: PLC0415

    backend = LiveBackend(settings, settings.report_dir, History(clock_of(settings)), tell=common.say)
    was_there = await backend.destroy()
    name, where = settings.stack.name, f"account {settings.account}, {settings.region}"
    common.say(f"Stack {name} is deleted." if was_there else f"There is no stack {name} in {where}.")
    return 0
