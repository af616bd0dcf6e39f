"""Prints a run's progress: steps with their times, and a table at the end. Plain when not on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from rich.console import Console as RichConsole
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from ..core.verdict import Verdict
from ..cost.summary import cost_line
from ..harness.steps import Step
from ..settings import Settings
from .outcome import Outcome
from .report import Report

COLOURS: Mapping[str, str] = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.UNKNOWN: "yellow",
    Verdict.INFRA: "magenta",
}


class Console:
    """Prints a run's progress. On a terminal the current step has a spinner."""

    def __init__(self, file: IO[str] | None = None, *, terminal: bool | None = None) -> None:
        self.rich = RichConsole(file=file, force_terminal=terminal, highlight=False, soft_wrap=True)
        self._live = self.rich.is_terminal and terminal is None
        self._status: Status | None = None
        plain = not (self.rich.encoding or "").lower().startswith("utf")
        self._held, self._broke = ("ok", "BROKE") if plain else ("✓", "✗")

    def run_started(self, run_id: str, settings: Settings) -> None:
        self.rich.print(f"run [bold]{run_id}[/]: {settings.mode}{_speed(settings)}, stack {settings.stack.name}")
        self._working("starting the cloud and deploying the stack")

    def progress(self, line: str) -> None:
        """Print a line of progress, such as an event of the stack."""
        self._idle()
        self.rich.print(f"  [dim]{escape(line)}[/]")

    def cloud_ready(self, seconds: float) -> None:
        self._idle()
        self.rich.print(f"cloud ready, stack deployed  [dim]{seconds:.2f} s[/]")

    def scenario_started(self, name: str, proves: str) -> None:
        self.rich.print(f"\n[bold]{name}[/]  [dim]{escape(proves)}[/]")

    def step_started(self, step: Step) -> None:
        self._working(step.name)

    def step_ended(self, step: Step) -> None:
        self._idle()
        mark = f"[green]{self._held}[/]" if step.held else f"[red]{self._broke}[/]"
        measured = step.measured
        times = ""
        if measured is not None:
            wall = " " * 9 if measured.seconds is None else f"{measured.seconds:7.2f} s"
            times = f"[dim]{wall}  {measured.aws_seconds:7.1f} AWS s[/]"
        target = ""
        if measured is not None and measured.target is not None:
            word = {True: "met", False: "missed", None: "not decidable at this speed"}[measured.met]
            target = f"  [dim]target {measured.target:g} AWS s: {word}[/]"
        self.rich.print(f"  {mark} {escape(step.name):<58} {times}{target}")

    def scenario_ended(self, outcome: Outcome) -> None:
        self._idle()
        if outcome.verdict is None:
            self.rich.print(f"[bold]{outcome.name}[/]  [yellow]skipped[/]: {escape(outcome.message)}")
            return
        self.rich.print(
            f"  [{COLOURS[outcome.verdict]}]{outcome.verdict}[/], {outcome.asserted} checks, "
            f"{outcome.measured.seconds:.2f} s ({outcome.measured.aws_seconds:.0f} AWS s)"
        )
        if outcome.unsound and outcome.unsound not in outcome.message:
            self.rich.print(f"[yellow]{escape(outcome.unsound)}[/]")
        if outcome.message:
            self.rich.print(f"[{COLOURS[outcome.verdict]}]{escape(outcome.message)}[/]")
            for place in outcome.evidence:
                if place not in outcome.message:
                    self.rich.print(f"[dim]evidence: {escape(place)}[/]")

    def run_ended(self, report: Report, path: Path) -> None:
        self._idle()
        self.rich.print()
        self.rich.print(summary(report.to_json(report.started)))
        counts = report.counts()
        colour = COLOURS[report.verdict]
        self.rich.print(
            f"[bold {colour}]{report.verdict}[/]: {counts['executed']} executed, {counts['skipped']} skipped, "
            f"{counts['asserted']} checks asserted; report {path}"
        )
        if report.previews:
            self.rich.print(f"[dim]pages rendered by {escape(', '.join(report.previews))}[/]")
        if report.cost:
            self.rich.print(f"[dim]{escape(cost_line(report.cost))}[/]")
        for line in report.about.get("left_behind", ()):
            self.rich.print(f"[yellow]left behind by this run[/]: {escape(line)}")

    def _working(self, what: str) -> None:
        self._idle()
        if self._live:
            self._status = self.rich.status(f"[dim]{escape(what)}[/]")
            self._status.start()

    def _idle(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def summary(report: Mapping[str, Any]) -> Table:
    """A table of a report's scenarios."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario")
    table.add_column("verdict")
    for heading in ("checks", "wall s", "AWS s"):
        table.add_column(heading, justify="right")
    for one in report["scenarios"]:
        colour = COLOURS.get(one["verdict"], "yellow")
        table.add_row(
            one["name"],
            f"[{colour}]{one['verdict']}[/]",
            str(one["asserted"]),
            f"{one['seconds']:.2f}",
            f"{one['aws_seconds']:.0f}",
        )
    return table


def phases(report: Mapping[str, Any]) -> Table:
    """A table of a report's phases, with the times since the start of the journey."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("scenario", no_wrap=True)
    table.add_column("phase", no_wrap=True)
    for heading in ("wall s", "AWS s"):
        table.add_column(heading, justify="right")
    table.add_column("source", style="dim")
    for one in report["scenarios"]:
        for phase in one["phases"]:
            name = f"{one['name']} ({phase['entry']})" if "entry" in phase else one["name"]
            table.add_row(
                name, phase["name"], _seconds(phase.get("seconds")), f"{phase['aws_seconds']:.1f}", phase["source"]
            )
    return table


def _seconds(wall: float | None) -> str:
    """Blank where only AWS time is known, on a clock that jumps."""
    return "" if wall is None else f"{wall:.2f}"


def _speed(settings: Settings) -> str:
    if settings.mode != "emulated":
        return ""
    if settings.emulated.clock == "autojump":
        return ", AWS time jumps where nothing works"
    return f" at {settings.emulated.scale:g} × AWS time"
