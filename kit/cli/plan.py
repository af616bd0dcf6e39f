"""What a run would create, run, take and cost. Nothing is touched: no AWS call, no credentials."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from . import common

if TYPE_CHECKING:
    from ..cost.prediction import Prediction
    from ..runner.plan import PlannedScenario, RunPlan

HELP = "what a run would do, take and cost; touches nothing"


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
        common.say(f"{made.mode}: uses stack {made.stack}, which must be there (live.reuse), and creates nothing")
        return
    common.say(f"{made.mode}: creates stack {made.stack} with {number} resources, and deletes it at the end")
    width = max(map(len, made.resources))
    for type, names in made.resources.items():
        common.say(f"  {len(names):>3}  {type:<{width}}  {', '.join(names)}")


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
    told = made.prediction
    low, high = (told.seconds * (1 + side * told.within) / 60 for side in (-1, 1))
    common.say(f"\ntakes {told.seconds / 60:.0f} min of AWS time ({low:.0f} to {high:.0f})")
    word = "costs" if made.mode == "live" else "would cost live"
    common.say(f"{word} {_usd(told)}, with what stands there meanwhile; from: {told.basis}")
    common.say(f"left standing, the stack costs ${made.standing_month:.2f} a month")
    published = made.prices.get("published")
    common.say(f"list prices of {made.prices['region']}{f', published {published}' if published else ', as shipped'}")
    if made.budget is not None:
        beyond = told.usd * (1 + told.within) > made.budget
        common.say(f"budget ${made.budget:g}{': the run may not come to its end' if beyond else ''}")


def _permissions(made: RunPlan) -> None:
    from ..runner.plan import actions_of  # noqa: PLC0415 - what --help need not wait for

    if made.mode != "live":
        common.say("\nneeds no AWS account and no permission")
        return
    if made.policy is None:
        common.say("\nneeds IAM permissions for the resource types above; no policy is checked in")
        return
    common.say("\nneeds these IAM permissions (kit iam --policy tells them as a policy):")
    for service, actions in actions_of(made.policy).items():
        common.say(f"  {service}: {', '.join(actions)}")


def _usd(told: Prediction) -> str:
    return f"${told.usd:.3f} (${told.usd * (1 - told.within):.3f} to ${told.usd * (1 + told.within):.3f})"
