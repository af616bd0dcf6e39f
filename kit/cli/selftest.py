"""Break the reference system in one way at a time, and check that a scenario notices."""

from __future__ import annotations

import argparse
import difflib
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..selftest.detection import Detection
    from ..settings import Settings

HELP = "break the reference system on purpose: every break must fail its scenario"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("breaks", metavar="break", nargs="*", help="names of breaks (default: all; see --list)")
    parser.add_argument("--mixes", action="store_true", help="find them by session mixes, without naming a scenario")
    parser.add_argument("--list", action="store_true", help="show the breaks and run nothing")
    parser.add_argument(
        "--no-control", dest="control", action="store_false", help="do not run the scenarios unbroken first"
    )


def run(args: argparse.Namespace) -> int:
    from ..selftest import breaking  # noqa: PLC0415 - only where it is needed

    chosen = _chosen(args.breaks, mixes=args.mixes)
    if args.list:
        for name in chosen:
            common.say(f"{name:34} {breaking.load(name).scenario:18} {breaking.about(name)}")
        return 0
    from ..selftest.run import DEFAULTS  # noqa: PLC0415 - heavy: only where a cloud is started

    settings = common.load_settings(args, defaults=DEFAULTS)
    return common.run_async(_selftest(settings, chosen, control=args.control, mixes=args.mixes))


def _chosen(names: list[str], *, mixes: bool) -> list[str]:
    from ..selftest import breaking  # noqa: PLC0415 - only where it is needed

    known = breaking.names()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.3)
            raise UsageError(f"no break is called {name!r}", next=f"did you mean {near[0]!r}?" if near else "--list")
    if not mixes:
        return names or known
    found = [name for name in known if breaking.load(name).by_mixes]
    for name in names:
        if name not in found:
            raise UsageError(f"no mix shows {name!r}", next=f"there are: {', '.join(found)}")
    return names or found


async def _selftest(settings: Settings, names: list[str], *, control: bool, mixes: bool) -> int:
    from ..selftest import breaking  # noqa: PLC0415 - only where it is needed
    from ..selftest.run import check, controls  # noqa: PLC0415 - heavy: only where a cloud is started

    missed = 0
    if control:
        scenarios = [breaking.MIXES] if mixes else sorted({breaking.load(name).scenario for name in names})
        async for finding in controls(settings, scenarios):
            missed += _told(finding)
    for name in names:
        missed += _told(await check(settings, name, mixes=mixes))
    if missed:
        common.say(f"\n{missed} not as it must be: what stays green when it is broken is not tested")
        return 1
    common.say(f"\nall {len(names)} breaks noticed, each for its own reason")
    return 0


def _told(finding: Detection) -> int:
    """Say what was found; 1 when it is not what it must be."""
    mark = "✓" if finding.caught else "✗"
    common.say(f"{mark} {finding.name:34} {finding.scenario:18} {finding.seconds:6.1f} s  {finding.why}")
    return 0 if finding.caught else 1
