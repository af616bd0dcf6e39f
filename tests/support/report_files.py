"""Files of a run, written by hand, with hostile text wherever the system under test may put it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
BEGAN = 1_796_132_965.0


def event(index: int, type: str, name: str, **fields: Any) -> dict[str, Any]:
    times = {"wall": BEGAN + index, "aws": BEGAN + index}
    return {"index": index, "operation": index, "type": type, "name": name, "scenario": "mail", **times, **fields}


def history(events: int = 0) -> list[dict[str, Any]]:
    """A mail, that many further events, a refused request, and a check that failed."""
    return [
        event(0, "ok", "send_mail", touches={"subject": HOSTILE}),
        *(event(1 + number, "ok", "visit", touches={"session": f"s{number}"}) for number in range(events)),
        event(1 + events, "fail", "create_session", error=f"503: {HOSTILE}"),
        event(2 + events, "fail", "check", touches={"what": f"a reply {HOSTILE}"}, error=f"last seen: {HOSTILE}"),
    ]


def report(verdict: str = "fail", *, held: bool = False) -> dict[str, Any]:
    step = {"name": f"1 {HOSTILE}", "held": held, "asserted": 1, "at": "2026-12-01T13:49:25.000Z", "seconds": 2}
    error = {"message": f"expected a reply, last seen {HOSTILE}", "evidence": [HOSTILE]}
    scenario = {
        "name": "mail",
        "verdict": verdict,
        "asserted": 1,
        "steps": [{**step, "aws_seconds": 4, "target_aws_seconds": 3, "target_met": False}],
        "phases": [{"name": HOSTILE, "entry": "mail", "aws_seconds": 1.5, "source": HOSTILE}],
        "faults": [{"fault": "PauseTask", "at": "2026-12-01T13:49:26.000Z", "seen": HOSTILE, "verified": True}],
        **({} if verdict == "pass" else {"error": error}),
    }
    run = {"id": "r2", "mode": "emulated", "region": HOSTILE}
    return {"run": run, "verdict": verdict, "counts": {"executed": 1, "asserted": 1}, "scenarios": [scenario]}


def write_run(folder: Path, *, events: int = 0, **of_report: Any) -> Path:
    """A run that failed, in this folder."""
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(report(**of_report)))
    (folder / "history.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in history(events)))
    call = {"at": BEGAN + 1, "caller_kind": "external", "caller": HOSTILE, "service": "sqs", "operation": "SendMessage"}
    (folder / "calls.jsonl").write_text(json.dumps({**call, "status": 403, "error": HOSTILE}) + "\n")
    (folder / "mail-hermes.log").write_text(f"a line {HOSTILE}\n")
    return folder
