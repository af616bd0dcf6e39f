"""Run scenarios without pytest: start a cloud, run them, report, stop the cloud."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..settings import Settings

HELP = "run scenarios"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("scenario", nargs="*", help="names, as kit scenarios lists them; all for every one")
    common.scenarios_argument(parser)
    parser.add_argument("--mode", choices=("emulated", "live"), help="which cloud (default: emulated)")
    parser.add_argument(
        "--base", metavar="BASE", help="where declared state is kept: moto (default), localstack, or a URL"
    )
    parser.add_argument("--runtime", choices=("process", "docker"), help="what a task becomes (default: process)")
    common.clock_arguments(parser)
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="a running emulated cloud, such as docker-compose.yml's; it is left running",
    )
    parser.add_argument("--keep", action="store_true", help="unless all pass, keep the cloud running until Ctrl-C")


def run(args: argparse.Namespace) -> int:
    settings = common.load_settings(
        args,
        scenarios=args.scenarios,
        mode=args.mode,
        emulated__scale=args.scale,
        emulated__clock=args.clock,
        emulated__runtime=args.runtime,
        emulated__base=args.base,
        emulated__endpoint=args.endpoint,
    )
    return common.run_async(_run(settings, args.scenario, keep=args.keep))


async def _run(settings: Settings, names: list[str], *, keep: bool) -> int:
    from ..backends.emulated.backend import EmulatedBackend  # noqa: PLC0415 - heavy: only where a cloud is started
    from ..core.verdict import Verdict  # noqa: PLC0415
    from ..runner.console import Console  # noqa: PLC0415
    from ..runner.run import Run  # noqa: PLC0415
    from ..scenarios.registry import select  # noqa: PLC0415
    from .up import hold  # noqa: PLC0415

    scenarios = select(names, settings.scenarios)
    one = Run(settings, Console())
    one.announce_skipped(scenarios)
    cloud = await one.start()
    try:
        verdict = await one.execute_all(scenarios)
        if keep and verdict is not Verdict.PASS and isinstance(one.backend, EmulatedBackend):
            common.say("\nThe cloud is kept: look around with kit status, kit logs, kit outbox; Ctrl-C ends it.")
            await hold(one.backend, cloud, settings)
    finally:
        await one.stop()
    return one.report.verdict.exit_code  # leftovers count
