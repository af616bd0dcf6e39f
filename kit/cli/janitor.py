"""Find what killed and expired runs left in the account, and with --yes delete it; anything else is left alone.

Exit code 1 when something is left: not deleted yet, or impossible to delete.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..backends.live.janitor import JanitorFinding
    from ..settings import Settings

HELP = "show what dead runs left in the account; --yes deletes it"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("--yes", "--delete", action="store_true", help="delete it; without it, it is only shown")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    return common.run_async(_sweep(common.load_settings(args, mode="live"), act=args.yes, json=args.json))


async def _sweep(settings: Settings, *, act: bool, json: bool) -> int:
    from ..backends.live.janitor import JanitorOutcome  # noqa: PLC0415 - heavy: only where an account is used
    from ..backends.live.janitor_factory import janitor  # noqa: PLC0415

    async with janitor(settings, tell=None if json else common.say) as one:
        lines = await one.sweep(act=act)
    left = [line for line in lines if line.outcome is JanitorOutcome.LEFT]
    if json:
        common.say_json([vars(line) for line in lines])
    else:
        _tell(lines, len(left), settings, act=act)
    return 1 if left else 0


def _tell(lines: Sequence[JanitorFinding], left: int, settings: Settings, *, act: bool) -> None:
    for line in lines:
        common.say(f"{line.outcome:<9} {line}")
    where = f"account {settings.account}, {settings.region}"
    if not left:
        removed = any(line.outcome == "removed" for line in lines)
        common.say(f"nothing is left of a dead run in {where}" + (", all was removed" if removed else ""))
    elif not act:
        common.say(f"{left} left of dead runs in {where}; remove: kit janitor --yes")
    else:
        common.say(f"{left} could not be removed in {where}; look at them, then try again: kit janitor --yes")
