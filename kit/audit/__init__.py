"""What dead runs left behind: found, told line by line, cleaned up.

    ledger (who runs, who is gone) --> places look --> leftovers --> places clean --> places look again

Whatever starts a cloud notes it in the ledger (`kit.audit.ledger`) before anything of it exists: a token that nobody
can guess, the process that holds it, the folders it will use. The note is locked for as long as its holder lives. A run
is *over* when its note's lock is free and the noted process (id and start time) is gone; whatever belongs to a run that
is not over is alive and left alone.

A *place* is one kind of thing that can be left behind, in one file of `kit/audit/collectors/`, and one line of
`places()` there. It keeps the protocol `kit.audit.place.Place`:

- `look(runs)` returns what there is of the runs that are over (`runs.over`), and nothing else. It identifies a thing
  by the run's token or by what the note says of it, never by a name or a number alone: process ids, ports and
  folders' names are used again. Emulated tasks find the token in their environment as `EMULATION_RUN`, and a container,
  volume or network carries it as a label's value. It must be cheap (a few ms when there is nothing): every run looks
  for its own leftovers when it ends. What is dear to look for, it looks for only where a run's note says that it
  used it (`run.facts`, which whoever starts the cloud fills in).
- `clean(left, patience)` ends or removes what `look` found, and says of each what was done, in a word or two. It
  gives what ends by itself so many wall seconds to do so, checks each thing's identity again before it touches it, and
  raises nothing for what is gone meanwhile or cannot be removed: the second look tells.
- `doubtful(runs)` returns what looks like a run's but belongs to none in the ledger. It is told and left alone: another
  temporary folder's ledger may know it.

Places are cleaned in the order of `places()`: what holds others first. The ledger's notes go last, and only of runs of
which nothing else is left.
"""

from .audit import Audited, Line, audit, audit_self
from .collector import AuditsItself, Leftover, Place, Runs
from .ledger import Ledger, Note, Noted

__all__ = [
    "Audited",
    "AuditsItself",
    "Ledger",
    "Leftover",
    "Line",
    "Note",
    "Noted",
    "Place",
    "Runs",
    "audit",
    "audit_self",
]
