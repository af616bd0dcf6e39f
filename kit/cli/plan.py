"""Show what a run would create and run, its time and its cost. Makes no AWS call and needs no credentials."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..cost.prediction import Prediction
    from ..runner.plan import PlannedScenario, RunPlan

HELP = "show what a run would do, its time and its cost; touches nothing"


def arguments(parser: argparse.ArgumentParser) -> None:
    common.settings_arguments(parser)
    parser.add_argument("scenario", nargs="*", help="names of scenarios (default: all; see kit scenarios)")
    common.scenarios_argument(parser)
    parser.add_argument("--mode", choices=("emulated", "live"), help="which cloud (default: live)")
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(args: argparse.Namespace) -> int:
    from ..runner.plan import plan_run  # noqa: PLC0415 - what --help need not wait for
    from ..scenarios.registry import select  # noqa: PLC0415

    settings = common.load_settings(args, defaults={"mode": "live"}, scenarios=args.scenarios, mode=args.mode)
    made = plan_run(settings, select(args.scenario, settings.scenarios))
    if args.json:
        common.say_json(made.to_json())
        return 0
    _resources(made)
    _scenarios(made)
    _cost(made)
    _permissions(made)
    return 0


def _resources(made: RunPlan) -> None:
    number = sum(map(len, made.resources.values()))
    if not number:
        common.say(f"{made.mode}: uses stack {made.stack}, which must exist (live.reuse), and creates nothing")
        return
    common.say(f"{made.mode}: creates stack {made.stack} with {number} resources, and deletes it at the end")
    width = max(map(len, made.resources))
    for type, names in made.resources.items():
        common.say_list(f"  {len(names):>3}  {type:<{width}}  ", names, indent=7)


def _scenarios(made: RunPlan) -> None:
    executed = [one for one in made.scenarios if not one.skipped]
    common.say(f"\nruns {len(executed)} of {len(made.scenarios)} scenarios; time targets: {made.targets}")
    width = max((len(one.name) for one in made.scenarios), default=0)
    for one in made.scenarios:
        common.say(f"  {one.name:<{width}}  {_scenario(one)}")


def _scenario(one: PlannedScenario) -> str:
    if one.skipped or one.prediction is None:
        return f"SKIPPED: {one.skipped}"
    checks = "" if one.checks is None else f", {one.checks} checks last time"
    modelled = f"; acted out: {', '.join(one.modelled)}" if one.modelled else ""
    return f"{one.prediction.seconds / 60:.0f} min, {_usd(one.prediction)} ({one.prediction.basis}){checks}{modelled}"


def _cost(made: RunPlan) -> None:
    predicted = made.prediction
    low, high = (predicted.seconds * (1 + side * predicted.within) / 60 for side in (-1, 1))
    common.say(f"\ntakes {predicted.seconds / 60:.0f} min of AWS time ({low:.0f} to {high:.0f})")
    word = "costs" if made.mode == "live" else "would cost live"
    common.say(f"{word} {_usd(predicted)}, including resources that only exist; from: {predicted.basis}")
    common.say(f"kept, the stack costs ${made.standing_month:.2f} a month")
    published = made.prices.get("published")
    common.say(f"list prices of {made.prices['region']}{f', published {published}' if published else ', as shipped'}")
    if made.budget is not None:
        beyond = predicted.usd * (1 + predicted.within) > made.budget
        common.say(f"budget ${made.budget:g}{': the run may not come to its end' if beyond else ''}")


def _permissions(made: RunPlan) -> None:
    from ..runner.plan import actions_of  # noqa: PLC0415 - what --help need not wait for

    if made.policy is None:
        common.say("\nneeds no AWS account and no permission")
        return
    common.say("\nneeds these IAM permissions (kit iam --policy prints the policy):")
    for service, actions in actions_of(made.policy).items():
        common.say_list(f"  {service}: ", actions, indent=4)


def _usd(predicted: Prediction) -> str:
    low, high = (predicted.usd * (1 + side * predicted.within) for side in (-1, 1))
    return f"${predicted.usd:.3f} (${low:.3f} to ${high:.3f})"
