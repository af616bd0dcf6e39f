"""Plans a run from the template, the settings and earlier runs, without an AWS call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..backends.capability import Level
from ..backends.registry import registered_backend
from ..core.clock import Clock
from ..core.history import History
from ..cost.fixed_resources import FixedResources
from ..cost.prediction import Prediction, Predictor
from ..cost.prices import HOURS_PER_MONTH
from ..cost.tracker import budget_of, is_new, predict, predictor, run_kind
from ..scenarios.registry import Scenario
from ..settings import Settings
from .report import FILE


@dataclass(frozen=True)
class PlannedScenario:
    """A scenario of the plan."""

    name: str
    proves: str
    skipped: str
    """Why it would be skipped; empty if it would run."""
    modelled: tuple[str, ...]
    """The needed capabilities that the cloud only models."""
    prediction: Prediction | None
    checks: int | None
    """Checks asserted when it last passed; None if it never passed here."""

    def to_json(self) -> dict[str, Any]:
        predicted = {} if self.prediction is None else {"predicted": self.prediction.to_json()}
        skipped = {"skipped": self.skipped} if self.skipped else {}
        return {"name": self.name, **skipped, "modelled": list(self.modelled), "checks": self.checks, **predicted}


@dataclass(frozen=True)
class RunPlan:
    """The plan of a run."""

    mode: str
    stack: str
    resources: Mapping[str, Sequence[str]]
    """Resource type → names of the created resources."""
    scenarios: Sequence[PlannedScenario]
    prediction: Prediction
    standing_month: float
    """Dollars per month if the stack were kept."""
    targets: str
    """Which time targets are checked."""
    budget: float | None
    prices: Mapping[str, Any]
    policy: Mapping[str, Any] | None = field(default=None)
    """The IAM policy that a live run needs; None otherwise."""

    def to_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "stack": self.stack,
            "resources": {type: list(names) for type, names in self.resources.items()},
            "scenarios": [one.to_json() for one in self.scenarios],
            "predicted": self.prediction.to_json(),
            "standing_usd_month": round(self.standing_month, 2),
            "targets": self.targets,
            "budget_usd": self.budget,
            "prices": self.prices,
            "policy": self.policy,
        }


def plan_run(settings: Settings, scenarios: Iterable[Scenario]) -> RunPlan:
    """Plan a run of these scenarios. Raises `UsageError` for settings, prices or a template that cannot be."""
    capabilities = capabilities_of(settings)
    telling = predictor(settings)
    checks = _checks_seen(settings)
    planned = [_planned(one, capabilities, telling, checks) for one in scenarios]
    executed = [one.name for one in planned if not one.skipped]
    new, inventory = is_new(settings), FixedResources.of(telling.template)
    resources: dict[str, list[str]] = {}
    for resource in telling.template.resources:
        resources.setdefault(resource.type, []).append(telling.template.name(resource))
    month = inventory.items(HOURS_PER_MONTH * 3600, new=True)
    scale = run_kind(settings)["scale"]
    return RunPlan(
        mode=settings.mode,
        stack=settings.stack.name,
        resources=dict(sorted(resources.items())) if new else {},
        scenarios=planned,
        prediction=predict(telling, settings, executed),
        standing_month=sum(telling.table.usd(item.price, item.quantity) for item in month),
        targets="judged" if scale == 1 else f"at {scale:g} × AWS time only those met, or missed, at any speed",
        budget=budget_of(settings),
        prices=telling.table.about(),
        policy=_policy_of(settings),
    )


def capabilities_of(settings: Settings) -> Mapping[str, Level]:
    """The capabilities of the settings' cloud; starts nothing and makes no call."""
    if settings.backend:
        return registered_backend(settings, settings.report_dir, History(Clock())).capabilities()
    if settings.mode == "live":
        from ..backends.live.backend import capabilities_of as live  # noqa: PLC0415 - emulated plans need none of it

        return live(settings)
    from ..backends.emulated.backend import capabilities_of as emulated  # noqa: PLC0415 - live plans need none of it

    return emulated(settings)


def _policy_of(settings: Settings) -> Mapping[str, Any] | None:
    """The least-privilege policy of a live run, as `kit iam --policy` prints it."""
    if settings.mode != "live":
        return None
    from ..backends.live.iam.document import policy  # noqa: PLC0415 - emulated plans need none of it

    return policy(settings)


def actions_of(policy: Mapping[str, Any]) -> dict[str, list[str]]:
    """A policy's actions by service."""
    services: dict[str, set[str]] = {}
    for statement in policy.get("Statement", ()):
        actions = statement.get("Action", ())
        for action in [actions] if isinstance(actions, str) else actions:
            service, _, name = action.partition(":")
            services.setdefault(service, set()).add(name)
    return {service: sorted(names) for service, names in sorted(services.items())}


def _planned(
    scenario: Scenario, capabilities: Mapping[str, Level], telling: Predictor, checks: Mapping[str, int]
) -> PlannedScenario:
    skipped = scenario.skipped_because(capabilities) or ""
    return PlannedScenario(
        name=scenario.name,
        proves=scenario.proves,
        skipped=skipped,
        modelled=tuple(need for need in scenario.needs if capabilities.get(need) is Level.MODELLED),
        prediction=None if skipped else telling.scenario(scenario.name),
        checks=checks.get(scenario.name),
    )


def _checks_seen(settings: Settings) -> dict[str, int]:
    """Scenario → the checks it asserted when it last passed, in any mode."""
    found: dict[str, int] = {}
    for path in sorted((settings.report_dir / "runs").glob(f"*/{FILE}"))[-50:]:
        try:
            scenarios = json.loads(path.read_text(encoding="utf-8"))["scenarios"]
            found |= {one["name"]: int(one["asserted"]) for one in scenarios if one["verdict"] == "pass"}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
