"""List the scenarios with what each proves and needs."""

from __future__ import annotations

import argparse

from . import common

HELP = "list the scenarios"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    common.scenarios_argument(parser)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    from ..scenarios.registry import all_scenarios  # noqa: PLC0415 - the scenarios, which --help need not wait for

    found = all_scenarios(common.load_settings(args, scenarios=args.scenarios).scenarios)
    if args.json:
        common.say_json([{"name": one.name, "proves": one.proves, "needs": list(one.needs)} for one in found])
        return 0
    width = max(len(one.name) for one in found)
    for one in found:
        common.say(f"{one.name:<{width}}  {one.proves}")
        if one.only_named:
            common.say(f"{'':<{width}}  runs only when named: {one.only_named}")
        if one.needs:
            common.say(f"{'':<{width}}  needs {', '.join(one.needs)}")
    return 0
