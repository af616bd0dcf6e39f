"""Tracks the cost of a run: meters it while it runs, enforces the budget and reports the bill."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from ..aws.deploy import template_text
from ..aws.template import Template
from ..backends.interface import Cloud
from ..core.errors import InfraError, KitError
from ..core.history import History
from ..settings import Settings
from . import usage
from .bill import Bill
from .fixed_resources import FixedResources
from .meter import meter
from .observer import Observer
from .prediction import UNASSIGNED, Prediction, Predictor, earlier_runs
from .prices import load_prices
from .publishing import RESULTS, publishes

_SAMPLE_INTERVAL = 60.0
"""AWS seconds between two readings of the tasks."""
OVERHEAD = 300.0
"""Predicted AWS seconds for deploying and deleting the stack: the load balancer alone takes two minutes."""


class BudgetExceeded(KitError):
    """The run has exceeded its budget; it is ended and cleaned up."""


def budget_of(settings: Settings) -> float | None:
    """The budget in dollars; None for an emulated run without one: it spends nothing."""
    return settings.live.budget if settings.mode == "live" else settings.cost.budget


def is_new(settings: Settings) -> bool:
    """Whether the run creates the stack instead of using an existing one."""
    return settings.mode == "emulated" or not settings.live.reuse


def run_kind(settings: Settings) -> dict[str, Any]:
    """The properties in which runs must agree for one to predict another."""
    scale = settings.emulated.scale if settings.mode == "emulated" else settings.live.clock.scale
    return {"mode": settings.mode, "scale": scale}


def predictor(settings: Settings) -> Predictor:
    """A predictor with the prices, template and earlier runs of these settings. Raises `UsageError`."""
    return Predictor(
        load_prices(settings), template_of(settings), earlier_runs(settings.report_dir, run_kind(settings))
    )


def predict(predictor: Predictor, settings: Settings, names: Iterable[str]) -> Prediction:
    """Predicts time and cost of a run of these scenarios."""
    new = is_new(settings)
    return predictor.run(names, new=new, overhead=OVERHEAD if new else 0.0, published=publishes(settings))


def template_of(settings: Settings) -> Template:
    """The template with this run's parameters. Raises `UsageError` when it cannot be read."""
    live = {"MailDomain": settings.live.mail_domain, "CertificateArn": settings.live.certificate}
    if settings.live.mail_domain:
        live["ReceiptRuleSetName"] = "the account's active one"
    own = live if settings.mode == "live" else {}
    return Template.read(template_text(settings.stack.template), {**own, **settings.stack.parameters})


class CostTracker:
    """The cost of one run. Not bound to an event loop."""

    def __init__(self, settings: Settings, history: History) -> None:
        """Raises `UsageError` for invalid prices."""
        self._settings = settings
        self._history = history
        self.predictor = predictor(settings)
        self.budget = budget_of(settings)
        self.overrun = ""
        """The message that the budget is spent; empty until then."""
        self.on_overrun: Callable[[], None] | None = None
        """Called when the budget is spent in the middle of a step."""
        self._cloud: Cloud | None = None
        self._observer: Observer | None = None
        self._predicted: dict[str, Prediction] = {}
        self._seconds: dict[str, float] = {}
        self._error = ""

    async def open(self, cloud: Cloud) -> None:
        """Starts metering. Raises `InfraError` when that fails and the run has a budget."""
        self._cloud = cloud
        self._observer = observer = Observer(cloud, self._history)
        async with self._readable():
            await observer.begin(FixedResources.of(self.predictor.template), new=is_new(self._settings))

    @asynccontextmanager
    async def scenario(self, name: str) -> AsyncIterator[None]:
        """Assigns all use inside the context to this scenario."""
        if self._cloud is None or self._observer is None:
            yield
            return
        clock = self._cloud.clock
        self._predicted[name] = self.predictor.scenario(name)
        began = clock.now()
        sampler = asyncio.create_task(self._sample(), name="cost")
        try:
            yield
        finally:
            self.on_overrun = None
            sampler.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sampler
            with contextlib.suppress(InfraError):
                async with self._readable():
                    await self._observer.tasks()
                    await self._observer.metrics()
            self._seconds[name] = clock.now() - began
            self._history.note(usage.SCENARIO, value={"began": began, "ended": clock.now()}, of=name)

    def predict(self, names: Iterable[str]) -> Prediction:
        """Predicts a run of these scenarios from the data before this run."""
        return predict(self.predictor, self._settings, names)

    def check(self) -> None:
        """Raises `BudgetExceeded` when the metered cost exceeds the budget."""
        if self.budget is None or self._cloud is None:
            return
        if not self.overrun:
            spent = self.bill(now=self._cloud.clock.now()).usd
            if spent <= self.budget:
                return
            would = "has cost" if self._settings.mode == "live" else "would have cost"
            self.overrun = f"the run {would} ${spent:.4f} and may cost ${self.budget:g}"
        raise BudgetExceeded(
            f"{self.overrun}: it is ended and cleaned up",
            where="live.budget" if self._settings.mode == "live" else "cost.budget",
            next="run fewer scenarios, or raise the budget; kit plan predicts the cost",
        )

    def bill(self, *, now: float | None = None) -> Bill:
        """The bill up to `now`, or up to the last event."""
        return Bill(meter(self._history.events(), now=now), self.predictor.table)

    async def close(self, *, settle: bool) -> None:
        """Reads the remaining metrics; `settle` waits for the last minute. Raises no AWS errors."""
        if self._cloud is None or self._observer is None or self._error:
            return
        with contextlib.suppress(InfraError):
            async with self._readable():
                await self._observer.tasks()
                await self._observer.stored()
                if settle and not await self._observer.settle():
                    self._history.note("cost.unsettled", value={})
                await self._observer.metrics()

    def to_json(self) -> dict[str, Any]:
        """For the report: the bill, each scenario's share, and the prediction's error."""
        if self._observer is None:
            return {}
        total = self.bill()
        error = {"error": self._error} if self._error else {}
        predicted = self.predict(self._predicted)
        return {
            **total.to_json(),
            **error,
            "prices": self.predictor.table.about(),
            "spent": self._settings.mode == "live",
            **({} if self.budget is None else {"budget_usd": self.budget, "budget_spent": bool(self.overrun)}),
            "predicted": predicted.to_json(),
            "prediction_error": _off(total.usd, predicted.usd),
            "scenarios": self._shares(total),
            "without_data": self._observer.silent,
        }

    def _shares(self, total: Bill) -> dict[str, Any]:
        shares = total.by_scenario()
        shares.setdefault("", 0.0)
        named = {name: shares.get(name, 0.0) for name in self._seconds} | {UNASSIGNED: shares[""]}
        return {name: self._share(name, usd, total) for name, usd in named.items()}

    def _share(self, name: str, usd: float, total: Bill) -> dict[str, Any]:
        whose = "" if name == UNASSIGNED else name
        use: dict[str, float] = {}
        for item in total.items:
            if item.scenario == whose and not item.fixed and item.what != RESULTS:
                use[item.price] = use.get(item.price, 0.0) + item.quantity
        predicted = self._predicted.get(name)
        return {
            "usd": float(f"{usd:.7g}"),
            "aws_seconds": round(self._seconds.get(name, 0.0), 3),
            "use": {price: float(f"{quantity:.7g}") for price, quantity in sorted(use.items())},
            **({} if predicted is None else {"predicted": predicted.to_json(), "error": _off(usd, predicted.usd)}),
        }

    async def _sample(self) -> None:
        """Reads the tasks while a scenario runs, and ends it in the middle of a step when the budget is spent."""
        assert self._cloud is not None and self._observer is not None
        while True:
            clock = self._cloud.clock
            await clock.sleep(_SAMPLE_INTERVAL, background=True)
            try:
                async with self._readable():
                    await self._observer.tasks()
                self.check()
            except KitError as error:
                self.overrun = self.overrun or str(error)
                if self.on_overrun is not None:
                    self.on_overrun()
                return

    @asynccontextmanager
    async def _readable(self) -> AsyncIterator[None]:
        """Without a budget, a failed reading leaves a gap in the report; with a budget it ends the run."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy: only where a call is made

        try:
            yield
        except (BotoCoreError, ClientError, InfraError) as error:
            self._error = f"{type(error).__name__}: {error}"
            if self.budget is not None:
                raise InfraError(f"the run's cost cannot be read, so its budget cannot be enforced: {error}") from error


def _off(metered_usd: float, predicted_usd: float) -> float | None:
    """The deviation of the metered cost, as a share of the prediction; None without one."""
    return round(metered_usd / predicted_usd - 1, 4) if predicted_usd else None
