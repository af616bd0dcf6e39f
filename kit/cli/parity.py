"""Compare two runs on any clouds: the same scenarios, steps and checks in the same order."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import common

HELP = "compare two runs; exit 1 if they differ in more than times and ids"


def arguments(parser: argparse.ArgumentParser) -> None:
    for name in ("a", "b"):
        parser.add_argument(name, type=Path, metavar=name.upper(), help="a run's folder, its report or its history")
    parser.add_argument("--steps", action="store_true", help="with the times of every step")
    parser.add_argument("--strict", action="store_true", help="a scenario that only one cloud can run is a difference")
    parser.add_argument(
        "--times",
        action="store_true",
        help="of two runs of one seed: also each operation of each strand, and the delays of the cloud",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write a Markdown page as well")


def run(args: argparse.Namespace) -> int:
    from ..parity import compare, read_run  # noqa: PLC0415 - what --help need not wait for
    from ..parity.page import lines, markdown  # noqa: PLC0415

    parity = compare(read_run(args.a), read_run(args.b), times=args.times)
    if args.page:
        args.page.write_text(markdown(parity), encoding="utf-8")
    if args.json:
        common.say_json(parity.to_json())
    else:
        for line in lines(parity, steps=args.steps):
            common.say(line)
    return 0 if parity.holds(strict=args.strict) else 1
