"""Find what dead runs left behind on this machine, clean it up, and say so; what is alive is left alone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..audit import AuditResult

HELP = "find and clean up what dead runs left behind"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only say what is left; exit code 1 when something is")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    from ..audit import audit  # noqa: PLC0415 - only for this command

    async def look() -> int:
        audited = await audit(dry_run=args.dry_run)
        if args.json:
            common.say_json(_facts(audited))
        else:
            _tell(audited, dry_run=args.dry_run)
        return 1 if audited.left else 0

    return common.run_async(look())


def _tell(audited: AuditResult, *, dry_run: bool) -> None:
    for run in audited.alive:
        common.say(f"alive     run {run}: left alone")
    for line in audited.lines:
        common.say(f"{line.outcome:<9} {line}")
    if not audited.left:
        common.say("nothing is left of a dead run" + (", all was cleaned up" if audited.cleaned else ""))
    elif dry_run:
        common.say(f"{len(audited.left)} left of dead runs; clean up: kit audit")
    else:
        common.say(f"{len(audited.left)} could not be cleaned up; look at them, then try again: kit audit")


def _facts(audited: AuditResult) -> dict[str, object]:
    return {
        "alive": [str(run) for run in audited.alive],
        "found": [
            {"outcome": line.outcome, "what": line.what, "run": line.run, "how": line.how} for line in audited.lines
        ],
    }
