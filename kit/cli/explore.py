"""Draw session mixes, perform them on one cloud, and make the first failure small."""

from __future__ import annotations

import argparse
import random
from typing import TYPE_CHECKING

from ..core.errors import UsageError
from . import common

if TYPE_CHECKING:
    from ..mixes.explore import Budget, Explored
    from ..mixes.performance import Judgement
    from ..mixes.strategies import Space
    from ..mixes.subject import Subject
    from ..settings import Settings

HELP = "draw session mixes and look for one that breaks the system"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("--examples", type=int, metavar="N", help="at most so many mixes (default: 200)")
    parser.add_argument(
        "--for", dest="duration", metavar="TIME", help="draw new ones for so long, such as 90s, 10m, 1h (default: 5m)"
    )
    parser.add_argument("--faults", type=int, default=0, metavar="N", help="up to so many faults a mix (default: 0)")
    parser.add_argument("--strands", type=int, default=4, metavar="N", help="up to so many strands (default: 4)")
    parser.add_argument("--actions", type=int, default=6, metavar="N", help="up to so many actions each (default: 6)")
    parser.add_argument("--to-zero", action="store_true", help="some mixes end only when no task runs any more")
    parser.add_argument("--seed", type=int, help="of what is drawn (default: a new one, which is printed)")
    parser.add_argument("--continue", dest="goes_on", action="store_true", help="go on with an exploration that ended")
    parser.add_argument("--mode", choices=("emulated", "live"), help="which cloud (default: emulated)")
    common.clock_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from ..core.extras import require  # noqa: PLC0415 - what --help need not wait for

    require("property", "kit explore")
    from ..mixes.explore import Budget  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..mixes.strategies import Space  # noqa: PLC0415

    if min(args.strands, args.actions) < 1 or args.faults < 0 or (args.examples is not None and args.examples < 1):
        raise UsageError("--examples, --strands and --actions are 1 or more, --faults is 0 or more")
    budget = Budget(
        # A duration alone is the limit: as many examples as fit.
        args.examples or (1_000_000 if args.duration else Budget.examples),
        common.seconds_of(args.duration) if args.duration else Budget.seconds,
    )
    space = Space(strands=args.strands, actions=args.actions, faults=args.faults, to_zero=args.to_zero)
    settings = common.load_settings(args, mode=args.mode, emulated__scale=args.scale, emulated__clock=args.clock)
    seed = random.SystemRandom().randrange(2**32) if args.seed is None else args.seed
    common.say(
        f"up to {budget.examples} mixes in {budget.seconds:g} s, up to {space.faults} fault(s) each; "
        + ("goes on" if args.goes_on else f"seed {seed}")
    )
    return common.run_async(_explore(settings, space, budget, seed, goes_on=args.goes_on))


async def _explore(settings: Settings, space: Space, budget: Budget, seed: int, *, goes_on: bool) -> int:
    from ..mixes.exploration import explore  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..mixes.registry import subject_of  # noqa: PLC0415
    from ..runner.console import Console  # noqa: PLC0415
    from ..runner.run import Run  # noqa: PLC0415

    subject = subject_of(settings)
    one = Run(settings, Console())
    await one.start()
    try:
        _say(await explore(one, space, budget, seed, goes_on=goes_on, progress=_progress), subject)
    finally:
        await one.stop()
    return one.report.verdict.exit_code


def _progress(number: int, judged: Judgement, shrinking: bool) -> None:
    mix = judged.mix
    strands = f"{len(mix.strands)} strand{'s' if len(mix.strands) > 1 else ''}"
    what = f"{mix.size:2} action(s) in {strands}"
    line = f"{'smaller? ' if shrinking else ''}{number:5}  {what:28} {judged.verdict}"
    common.say(line if judged.verdict == "pass" else f"{line}  {judged.text().splitlines()[0]}")


def _say(explored: Explored, subject: Subject) -> None:
    from ..mixes.coverage import lines  # noqa: PLC0415 - what --help need not wait for
    from ..mixes.describe import described  # noqa: PLC0415

    rate = explored.examples / explored.seconds if explored.seconds else 0.0
    common.say(f"\n{explored.examples} mixes in {explored.seconds:.0f} s, {rate:.1f} a second")
    for line in lines(explored.coverage, subject.kinds):
        common.say(f"  {line}")
    for judged in explored.unknown:
        common.say(f"unknown: {judged.text()}")
    kept = explored.kept
    if kept is None:
        return
    common.say("\nA mix breaks the system:")
    for line in described(kept.mix, subject):
        common.say(f"  {line}")
    for name, message in kept.findings.items():
        common.say(f"{name}: {message}")
    for line in kept.witness:
        common.say(f"  {line}")
    flaky = ", so it is flaky" if kept.is_flaky else ""
    common.say(f"Repeated, it failed {kept.failed} of {kept.repeated} times{flaky}.\nnext: kit replay {explored.file}")
