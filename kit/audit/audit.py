"""Look in all places, clean up, look again: what came of each leftover, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from .collector import Leftover, Place, Runs
from .collectors import places as all_places
from .ledger import Ledger, Note, Noted

PATIENCE = 5.0
"""Wall seconds that a dead run's cloud gets to end by itself, as it does when its runner is killed."""
_PATIENCE_WITH_ITSELF = 0.1


class Outcome(StrEnum):
    LEFT = "left"
    """Found, and not touched: nobody asked for it, or it could not be removed."""
    CLEANED = "cleaned"
    DOUBTFUL = "doubtful"
    """Told, and never touched."""


@dataclass(frozen=True)
class Line:
    """One thing, and what came of it."""

    outcome: Outcome
    what: str
    run: str = ""
    """Its id; empty when no note tells."""
    how: str = ""
    token: str = ""

    def __str__(self) -> str:
        of = f" of run {self.run}" if self.run else ""
        return f"{self.what}{of}{': ' if self.how else ''}{self.how}"


@dataclass
class Audited:
    lines: list[Line] = field(default_factory=list)
    alive: Sequence[Noted] = ()
    """Runs that were left alone."""

    @property
    def left(self) -> list[Line]:
        return [line for line in self.lines if line.outcome is Outcome.LEFT]

    @property
    def cleaned(self) -> list[Line]:
        return [line for line in self.lines if line.outcome is Outcome.CLEANED]


async def audit(ledger: Ledger | None = None, places: Sequence[Place] | None = None, *, dry_run: bool) -> Audited:
    """Look for what dead runs left, and clean it up unless it is a `dry_run`. Raises `UsageError` when the ledger
    cannot be trusted."""
    ledger, places = ledger or Ledger(), places if places is not None else all_places()
    noted = ledger.read()
    runs = Runs([one for one in noted if one.over], [one for one in noted if not one.over])
    audited = Audited(await _cleaned(runs, places, PATIENCE, dry_run=dry_run), runs.alive)
    holding = {line.token for line in audited.left}
    for run in runs.over:
        said = f"the note of run {run}"
        if dry_run or run.token in holding:
            audited.lines.append(Line(Outcome.LEFT, said, how="" if dry_run else "kept, for what is left of the run"))
        else:
            run.path.unlink(missing_ok=True)
            audited.lines.append(Line(Outcome.CLEANED, said, how="removed"))
    for path in ledger.unfinished():
        audited.lines.append(_of_path(path, dry_run=dry_run))
    for place in places:
        audited.lines += [Line(Outcome.DOUBTFUL, one.what) for one in await place.doubtful(runs)]
    return audited


async def audit_self(note: Note, places: Sequence[Place] | None = None) -> list[Line]:
    """At the end of a run, by its holder: what is left of it, cleaned up. Closes the note, which stays for
    `kit audit` when something could not be removed."""
    lines = await _cleaned(
        Runs([note.noted()]), places if places is not None else all_places(), _PATIENCE_WITH_ITSELF, dry_run=False
    )
    note.close(forget=all(line.outcome is Outcome.CLEANED for line in lines))
    return lines


async def _cleaned(runs: Runs, places: Sequence[Place], patience: float, *, dry_run: bool) -> list[Line]:
    if not runs.over:
        return []
    ids = {noted.token: noted.id for noted in runs.over}

    def line(outcome: Outcome, one: Leftover, how: str = "") -> Line:
        return Line(outcome, one.what, ids.get(one.token, ""), how, one.token)

    found = [(place, list(await place.look(runs))) for place in places]
    if dry_run:
        return [line(Outcome.LEFT, one) for _, left in found for one in left]
    lines = []
    for place, left in found:
        done = await place.clean(left, patience) if left else {}
        still = await place.look(runs)
        for one in left:
            how = done.get(one, "")
            if one in still:
                how = f"{how}, but it is still there" if how else "could not be removed"
            lines.append(line(Outcome.LEFT if one in still else Outcome.CLEANED, one, how))
        lines += [line(Outcome.LEFT, one, "appeared meanwhile") for one in still if one not in left]
    return lines


def _of_path(path: Path, *, dry_run: bool) -> Line:
    if not dry_run:
        path.unlink(missing_ok=True)
    return Line(Outcome.LEFT if dry_run else Outcome.CLEANED, f"file {path}", how="" if dry_run else "removed")
