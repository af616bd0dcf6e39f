"""Show the report of the newest run, or of a named one."""

from __future__ import annotations

import argparse

from . import common

HELP = "show the newest report"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("run_id", nargs="?", help="a run's id (default: the newest)")
    parser.add_argument("--json", action="store_true", help="the whole report as JSON")
    parser.add_argument("--html", action="store_true", help="build report.html, a page to look at, beside the report")


def run(args: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415 - heavy: only where something is shown

    from ..runner.console import phases, summary  # noqa: PLC0415
    from ..runner.report import FILE, latest_folder, read  # noqa: PLC0415

    settings = common.load_settings(args)
    folder = settings.report_dir / "runs" / args.run_id if args.run_id else latest_folder(settings.report_dir)
    if args.html:
        from ..report.page import write_page  # noqa: PLC0415

        common.say(str(write_page(folder)))
        return 0
    report = read(folder)
    if args.json:
        common.say_json(report)
        return 0
    console = Console(highlight=False, soft_wrap=True)
    for table in (phases(report), summary(report)):
        console.print(table)
        console.print()
    console.print(f"[bold]{report['verdict']}[/], {report['counts']['asserted']} checks asserted; {folder / FILE}")
    return 0
