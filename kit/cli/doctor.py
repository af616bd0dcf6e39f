"""Check what a run needs, one line a check, with the remedy. Changes nothing.

What is checked depends on the mode: the account for --mode live, else this machine. Exit code 1 when a run would fail.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..doctor import DoctorFinding
    from ..settings import Settings

HELP = "check what a run needs"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("--mode", choices=("emulated", "live"), help="what for (default: the settings')")
    parser.add_argument("--runtime", choices=("process", "docker"), help="what a task becomes (default: process)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    settings = common.load_settings(args, mode=args.mode, emulated__runtime=args.runtime)
    return common.run_async(_examine(settings, json=args.json))


async def _examine(settings: Settings, *, json: bool) -> int:
    from ..doctor import Level, run_checks  # noqa: PLC0415 - only for this command

    findings: list[DoctorFinding] = []
    if settings.mode == "live":
        from ..doctor import live  # noqa: PLC0415 - heavy: only where an account is used

        async with live.checks(settings) as checks:
            async for finding in run_checks(checks):
                _say(finding, findings, json=json)
    else:
        from ..doctor import machine  # noqa: PLC0415

        async for finding in run_checks(machine.checks(settings)):
            _say(finding, findings, json=json)
    count = {level: sum(finding.level is level for finding in findings) for level in Level}
    if json:
        common.say_json([vars(finding) for finding in findings])
    else:
        common.say(f"{count[Level.OK]} ok, {count[Level.WARN]} warn, {count[Level.FAIL]} fail")
    return 1 if count[Level.FAIL] else 0


def _say(finding: DoctorFinding, findings: list[DoctorFinding], *, json: bool) -> None:
    findings.append(finding)
    if not json:
        next = f"\n{'':21}next: {finding.next}" if finding.next else ""
        common.say(f"{finding.level:<5} {finding.what:<14} {finding.seen}{next}")
