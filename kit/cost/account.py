"""A run's account: watches while it runs, keeps the budget, and tells at the end what it came to."""

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
from .bill import Bill, bill
from .inventory import Inventory
from .meter import metered
from .observer import Observer
from .prediction import UNASSIGNED, Prediction, Predictor, earlier
from .prices import load_prices
from .publishing import RESULTS, wanted

_LOOK_EVERY = 15.0
"""AWS seconds between two looks at the tasks."""
_LOOK_AT_MOST_EVERY = 1.0
"""Wall seconds: on a fast clock looking must not become the machine's main work."""
OVERHEAD = 300.0
"""AWS seconds for deploying the stack and taking it away, as predicted: the load balancer alone takes two minutes."""


class BudgetSpent(KitError):
    """The run has cost what it may cost; it is ended and cleaned up."""


def budget_of(settings: Settings) -> float | None:
    """Dollars a run may cost; None for an emulated run that was given none: it spends nothing."""
    return settings.live.budget if settings.mode == "live" else settings.cost.budget


def is_new(settings: Settings) -> bool:
    """Whether the run makes the stack, and does not use one that is there."""
    return settings.mode == "emulated" or not settings.live.reuse


def kind_of(settings: Settings) -> dict[str, Any]:
    """What runs must have in common for one to tell of another."""
    scale = settings.emulated.scale if settings.mode == "emulated" else settings.live.clock.scale
    return {"mode": settings.mode, "scale": scale}


def predictor(settings: Settings) -> Predictor:
    """With the settings' prices and template, and the earlier runs in their report folder. Raises `UsageError`."""
    return Predictor(load_prices(settings), template_of(settings), earlier(settings.report_dir, kind_of(settings)))


def predict(predictor: Predictor, settings: Settings, names: Iterable[str]) -> Prediction:
    """What a run of these scenarios will take and cost."""
    new = is_new(settings)
    return predictor.run(names, new=new, overhead=OVERHEAD if new else 0.0, published=wanted(settings))


def template_of(settings: Settings) -> Template:
    """The template as this run deploys it. Raises `UsageError` when it cannot be read."""
    live = {"MailDomain": settings.live.mail_domain, "CertificateArn": settings.live.certificate}
    if settings.live.mail_domain:
        live["ReceiptRuleSetName"] = "the account's active one"
    own = live if settings.mode == "live" else {}
    return Template.read(template_text(settings.stack.template), {**own, **settings.stack.parameters})


class Account:
    """The cost of one run. Not bound to an event loop."""

    def __init__(self, settings: Settings, history: History) -> None:
        """Raises `UsageError` for prices that are none."""
        self._settings = settings
        self._history = history
        self.predictor = predictor(settings)
        self.budget = budget_of(settings)
        self.overrun = ""
        """Says that the budget is spent, once it is."""
        self.on_overrun: Callable[[], None] | None = None
        """Called when the budget is found spent in the middle of a step."""
        self._cloud: Cloud | None = None
        self._observer: Observer | None = None
        self._predicted: dict[str, Prediction] = {}
        self._seconds: dict[str, float] = {}
        self._error = ""

    async def open(self, cloud: Cloud) -> None:
        """Begin to watch. Raises `InfraError` when that cannot be and there is a budget to keep."""
        self._cloud, self._observer = cloud, Observer(cloud, self._history)
        observer = self._observer
        inventory = Inventory.of(self.predictor.template)
        async with self._watching():
            await observer.begin(inventory, new=is_new(self._settings))

    @asynccontextmanager
    async def scenario(self, name: str) -> AsyncIterator[None]:
        """Everything used inside is this scenario's."""
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
                await self._look(self._observer)
            self._seconds[name] = clock.now() - began
            self._history.note(usage.SCENARIO, value={"began": began, "ended": clock.now()}, of=name)

    def predict(self, names: Iterable[str]) -> Prediction:
        """What a run of these scenarios will take and cost, by what was known before it."""
        return predict(self.predictor, self._settings, names)

    def check(self) -> None:
        """Raises `BudgetSpent` when the run has cost its budget, by what is known now."""
        if self.budget is None or self._cloud is None:
            return
        if not self.overrun:
            spent = self.bill(now=self._cloud.clock.now()).usd
            if spent <= self.budget:
                return
            would = "has cost" if self._settings.mode == "live" else "would have cost"
            self.overrun = f"the run {would} ${spent:.4f} and may cost ${self.budget:g}"
        raise BudgetSpent(
            f"{self.overrun}: it is ended and cleaned up",
            where="live.budget" if self._settings.mode == "live" else "cost.budget",
            next="run fewer scenarios, or raise the budget; kit plan tells what a run will cost",
        )

    def bill(self, *, now: float | None = None) -> Bill:
        """What was used so far, priced."""
        return bill(metered(self._history.events(), now=now), self.predictor.table)

    async def close(self, *, settle: bool) -> None:
        """Take in what CloudWatch still has to tell; `settle` waits for the last minute. Raises nothing of AWS's."""
        if self._cloud is None or self._observer is None or self._error:
            return
        with contextlib.suppress(InfraError):
            async with self._watching():
                await self._observer.tasks()
                await self._observer.stored()
                if settle and not await self._observer.settle():
                    self._history.note("cost.unsettled", value={})
                await self._observer.metrics()

    def to_json(self) -> dict[str, Any]:
        """For the report: the bill, each scenario's share, and how right the prediction was."""
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
        """Look at the tasks while a scenario runs, and end it in the middle of a step when the budget is spent."""
        assert self._cloud is not None and self._observer is not None
        while True:
            await self._cloud.clock.sleep_wall(max(_LOOK_EVERY / self._cloud.clock.scale, _LOOK_AT_MOST_EVERY))
            try:
                async with self._watching():
                    await self._observer.tasks()
                self.check()
            except KitError as error:
                self.overrun = self.overrun or str(error)
                if self.on_overrun is not None:
                    self.on_overrun()
                return

    async def _look(self, observer: Observer) -> None:
        async with self._watching():
            await observer.tasks()
            await observer.metrics()

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        """Without a budget a meter that cannot read is a blank in the report; with one it ends the run."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - heavy: only where a call is made

        try:
            yield
        except (BotoCoreError, ClientError, InfraError) as error:
            self._error = f"{type(error).__name__}: {error}"
            if self.budget is not None:
                raise InfraError(f"what the run costs cannot be read, so its budget cannot be kept: {error}") from error


def _off(metered_usd: float, predicted_usd: float) -> float | None:
    """How far the meter is from the prediction, as a share of what was predicted; None without one."""
    return round(metered_usd / predicted_usd - 1, 4) if predicted_usd else None
