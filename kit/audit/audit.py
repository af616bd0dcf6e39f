"""Runs all collectors: look, clean, look again; one line for each leftover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from .collector import Collector, Leftover, Runs
from .collectors import collectors as all_collectors
from .notes import Note, NotedRun, RunNotes

PATIENCE = 5.0
"""Wall seconds for a dead run's cloud to end by itself, as it does when its runner is killed."""
_PATIENCE_WITH_ITSELF = 0.1


class AuditOutcome(StrEnum):
    LEFT = "left"
    """Found and not touched, in a dry run or because it could not be removed."""
    CLEANED = "cleaned"
    DOUBTFUL = "doubtful"
    """Reported, never touched."""


@dataclass(frozen=True)
class AuditLine:
    """One leftover and what was done with it."""

    outcome: AuditOutcome
    what: str
    run: str = ""
    """Its id; empty when no note has it."""
    how: str = ""
    token: str = ""

    def __str__(self) -> str:
        of = f" of run {self.run}" if self.run else ""
        return f"{self.what}{of}{': ' if self.how else ''}{self.how}"


@dataclass
class AuditResult:
    lines: list[AuditLine] = field(default_factory=list)
    alive: Sequence[NotedRun] = ()
    """Runs that were left alone."""

    @property
    def left(self) -> list[AuditLine]:
        return [line for line in self.lines if line.outcome is AuditOutcome.LEFT]

    @property
    def cleaned(self) -> list[AuditLine]:
        return [line for line in self.lines if line.outcome is AuditOutcome.CLEANED]


async def audit(
    notes: RunNotes | None = None, collectors: Sequence[Collector] | None = None, *, dry_run: bool
) -> AuditResult:
    """Find leftovers of dead runs, and remove them unless `dry_run`. Raises `UsageError` when the notes cannot be
    trusted."""
    notes, collectors = notes or RunNotes(), collectors if collectors is not None else all_collectors()
    noted = notes.read()
    runs = Runs([one for one in noted if one.over], [one for one in noted if not one.over])
    result = AuditResult(await _cleaned(runs, collectors, PATIENCE, dry_run=dry_run), runs.alive)
    holding = {line.token for line in result.left}
    files = {run.path: (f"the note of run {run}", run.token in holding) for run in runs.over}
    for path, (what, kept) in (files | {path: (f"file {path}", False) for path in notes.unfinished()}).items():
        if dry_run or kept:
            how = "" if dry_run else "kept, for what is left of the run"
            result.lines.append(AuditLine(AuditOutcome.LEFT, what, how=how))
        else:
            path.unlink(missing_ok=True)
            result.lines.append(AuditLine(AuditOutcome.CLEANED, what, how="removed"))
    for collector in collectors:
        result.lines += [AuditLine(AuditOutcome.DOUBTFUL, one.what) for one in await collector.doubtful(runs)]
    return result


async def audit_self(note: Note, collectors: Sequence[Collector] | None = None) -> list[AuditLine]:
    """Clean up the leftovers of a run at its end, called by the note's holder. Closes the note, and keeps it for
    `kit audit` when something could not be removed."""
    collectors = collectors if collectors is not None else all_collectors()
    lines = await _cleaned(Runs([note.noted()]), collectors, _PATIENCE_WITH_ITSELF, dry_run=False)
    note.close(forget=all(line.outcome is AuditOutcome.CLEANED for line in lines))
    return lines


async def _cleaned(runs: Runs, collectors: Sequence[Collector], patience: float, *, dry_run: bool) -> list[AuditLine]:
    if not runs.over:
        return []
    ids = {noted.token: noted.id for noted in runs.over}

    def line(outcome: AuditOutcome, one: Leftover, how: str = "") -> AuditLine:
        return AuditLine(outcome, one.what, ids.get(one.token, ""), how, one.token)

    found = [(collector, list(await collector.look(runs))) for collector in collectors]
    if dry_run:
        return [line(AuditOutcome.LEFT, one) for _, left in found for one in left]
    lines = []
    for collector, left in found:
        done = await collector.clean(left, patience) if left else {}
        still = await collector.look(runs)
        for one in left:
            how = done.get(one, "")
            if one in still:
                how = f"{how}, but it is still there" if how else "could not be removed"
            lines.append(line(AuditOutcome.LEFT if one in still else AuditOutcome.CLEANED, one, how))
        lines += [line(AuditOutcome.LEFT, one, "appeared meanwhile") for one in still if one not in left]
    return lines
