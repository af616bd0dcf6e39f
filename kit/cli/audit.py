"""Find what dead runs left on this machine, and with --yes delete it; what belongs to a running cloud is left alone.

Exit code 1 when something is left: not deleted yet, or impossible to delete.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..audit import AuditResult

HELP = "show what dead runs left on this machine; --yes deletes it"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", "--delete", action="store_true", help="delete it; without it, it is only shown")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    return common.run_async(_audit(delete=args.yes, json=args.json))


async def _audit(*, delete: bool, json: bool) -> int:
    from ..audit import audit  # noqa: PLC0415 - only for this command

    result = await audit(dry_run=not delete)
    if json:
        common.say_json(_facts(result))
    else:
        _show(result, delete=delete)
    return 1 if result.left else 0


def _show(result: AuditResult, *, delete: bool) -> None:
    for run in result.alive:
        common.say(f"alive     run {run}: left alone")
    for line in result.lines:
        common.say(f"{line.outcome:<9} {line}")
    if not result.left:
        common.say("nothing is left of a dead run" + (", all was cleaned up" if result.cleaned else ""))
    elif not delete:
        common.say(f"{len(result.left)} left of dead runs; delete: kit audit --yes")
    else:
        common.say(f"{len(result.left)} could not be deleted; look at them, then try again: kit audit --yes")


def _facts(result: AuditResult) -> dict[str, object]:
    return {
        "alive": [str(run) for run in result.alive],
        "found": [
            {"outcome": line.outcome, "what": line.what, "run": line.run, "how": line.how} for line in result.lines
        ],
    }
