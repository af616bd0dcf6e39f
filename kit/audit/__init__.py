"""Finds and removes processes, ports, containers and files left by killed runs.

    notes (which runs are over?) --> collectors look --> leftovers --> collectors clean --> collectors look again

Every start of a cloud is noted (`kit.audit.notes`) before anything of it exists: a random token, the
process that holds it and the folders it will use. The note stays locked while its holder lives. A run is *over* when
its note is unlocked and the noted process (id and start time) is gone. Everything of a run that is not over is alive
and left alone.

A *collector* handles one kind of leftover, in one module of `kit/audit/collectors/`, listed in `collectors()` there.
It implements the protocol `kit.audit.collector.Collector`:

- `look(runs)` returns leftovers of the runs that are over (`runs.over`), and nothing else. It identifies a thing by
  the run's token or by the facts in its note, never by a name or number alone: process ids, ports and folder names
  are reused. Emulated tasks carry the token in their environment as `EMULATION_RUN`; containers, volumes and networks
  carry it as a label. It must be cheap (a few ms when there is nothing), because every run looks for its own
  leftovers at its end. Expensive searches run only where the run's note says so (`run.facts`).
- `clean(left, patience)` ends or removes what `look` found and returns one or two words for each. It waits up to
  `patience` wall seconds for what ends by itself, checks each thing's identity again before touching it, and does
  not raise for things that are already gone or cannot be removed: the second look shows those.
- `doubtful(runs)` returns things that look like a run's but belong to no noted run. They are reported and left alone:
  the notes of another temporary folder may name them.

Collectors clean in the order of `collectors()`: what holds others first. Notes are removed last, and only when nothing
else of the run is left.
"""

from .audit import AuditLine, AuditResult, audit, audit_self
from .collector import Collector, Leftover, Runs, SelfAudit
from .notes import Note, NotedRun, RunNotes

__all__ = [
    "AuditLine",
    "AuditResult",
    "Collector",
    "Leftover",
    "Note",
    "NotedRun",
    "RunNotes",
    "Runs",
    "SelfAudit",
    "audit",
    "audit_self",
]
