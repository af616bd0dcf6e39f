"""Builds `report.html`: one file with its styles, script and data, readable without JavaScript."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.utils import htmlsafe_json_dumps

from ..core.history import FAIL, INFO, INVOKE
from .earlier import last_green
from .files import Line, RunFiles, read_run
from .timeline import latest_tasks, timeline

PAGE = "report.html"
MOST_DETAILS = 8000
"""Operations, and AWS calls, that a page carries to be looked up from a timeline. Failed ones come first."""
_TEXT = 240


def write_page(folder: Path) -> Path:
    """Write the page of the run in `folder` beside its report; returns its path. Raises `UsageError`."""
    run = read_run(folder)
    path = folder / PAGE
    unfinished = path.with_suffix(".tmp")
    unfinished.write_text(build(run), encoding="utf-8")
    unfinished.replace(path)
    return path


def build(run: RunFiles) -> str:
    """The page as HTML."""
    assets = Path(__file__).parent / "assets"
    script = (assets / "page.js").read_text(encoding="utf-8").strip()
    environment = Environment(
        loader=PackageLoader(__package__, "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    operations = _operations(run.history)
    calls = [_call(call) for call in run.calls]
    notices = list(run.notices)
    for name, rows in (("operations", operations), ("AWS calls", calls)):
        if len(rows) > MOST_DETAILS:
            notices.append(f"{len(rows)} {name}: a timeline looks up {MOST_DETAILS} of them, the failed ones first")
    return environment.get_template("page.html").render(
        run=run,
        report=run.report,
        scenarios=_scenarios(run),
        notices=notices,
        style=(assets / "page.css").read_text(encoding="utf-8"),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=htmlsafe_json_dumps({"operations": _most(operations, 4), "calls": _most(calls, 3)}),
    )


def _scenarios(run: RunFiles) -> list[dict[str, Any]]:
    events: dict[str, list[Line]] = defaultdict(list)
    for event in run.history:
        events[event.get("scenario", "")].append(event)
    everything = {"tasks": latest_tasks(run.history), "calls": run.calls}
    listed = run.report.get("scenarios") or [
        {"name": name, "verdict": "unfinished", "asserted": 0} for name in events if name
    ]
    return [
        {
            **scenario,
            "timeline": timeline(scenario, events[scenario["name"]], everything),
            "targets": [step for step in scenario.get("steps", ()) if "target_aws_seconds" in step],
            "waterfall": waterfall(scenario.get("phases", ())),
            "failed": [one for one in events[scenario["name"]] if one["name"] == "check" and one["type"] == FAIL],
            "repeat": repeat(scenario, run.report.get("run", {}).get("mode")),
            "green": last_green(run, scenario) if scenario["verdict"] not in ("pass", "skipped") else None,
        }
        for scenario in listed
    ]


def repeat(scenario: Mapping[str, Any], mode: str | None) -> str:
    """The command that repeats a scenario that did not pass; empty where the kit has none, as for a pytest test."""
    name, message = scenario["name"], scenario.get("error", {}).get("message", "")
    if found := re.search(r"kit replay \S+", message):
        return found[0]
    if scenario["verdict"] == "skipped" or not name.isidentifier() or name.startswith("test_"):
        return ""
    return f"kit run {name}" + (f" --mode {mode}" if mode else "")


def waterfall(phases: Any) -> list[dict[str, Any]]:
    """The phases of each journey as hops, each with its `start` and length `hop` in AWS s since the journey began."""
    hops: list[dict[str, Any]] = []
    last: dict[str, float] = {}
    for phase in phases:
        entry, until = phase.get("entry", "http"), max(phase.get("aws_seconds", 0.0), 0.0)
        start = min(last.get(entry, 0.0), until)
        last[entry] = until
        hops.append({**phase, "entry": entry, "start": start, "hop": until - start})
    whole = {entry: max(seconds, 1e-6) for entry, seconds in last.items()}
    for hop in hops:
        hop["left"], hop["wide"] = (round(100 * hop[key] / whole[hop["entry"]], 2) for key in ("start", "hop"))
    return hops


def _operations(history: list[Line]) -> list[list[Any]]:
    """AWS time, scenario, name, what it was about, type and error of each operation's end."""
    return [
        [
            event.get("aws", 0.0),
            event.get("scenario", ""),
            event["name"],
            ", ".join(map(str, event.get("touches", {}).values()))[:_TEXT],
            "" if event["type"] not in (FAIL, INFO) else f"{event['type']} {event.get('error', '')}"[:_TEXT],
        ]
        for event in history
        if event["type"] != INVOKE
    ]


def _call(call: Mapping[str, Any]) -> list[Any]:
    """AWS time, caller, operation and error of an AWS call."""
    caller = call.get("caller_kind", "") if call.get("caller_kind") == "task" else str(call.get("caller", ""))
    return [
        round(call.get("at", 0.0), 3),
        caller[:60],
        f"{call.get('service')}.{call.get('operation')}",
        f"{call.get('status')} {call['error']}"[:_TEXT] if call.get("error") else "",
    ]


def _most(rows: list[list[Any]], error: int) -> list[list[Any]]:
    if len(rows) <= MOST_DETAILS:
        return rows
    return sorted(sorted(rows, key=lambda row: not row[error])[:MOST_DETAILS], key=lambda row: row[0])
