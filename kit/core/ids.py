"""The seedable source of the kit's ids and markers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from .clock import iso
from .threads import current_task

LETTERS = "bcdfghjkmnpqrstvwxz"
"""No vowels and no look-alikes: a marker never spells a word that a page might contain."""
DIGITS = "23456789"


@dataclass(eq=False)
class Ids:
    """A source of run ids and markers. Seeded, it repeats itself: each task has ids of its own, so those of concurrent
    tasks do not depend on which of them is faster."""

    seed: int | None = None
    _system: random.Random = field(default_factory=random.SystemRandom)
    _tasks: WeakKeyDictionary[object, random.Random] = field(default_factory=WeakKeyDictionary)
    _begun: int = 0
    """Tasks that have drawn so far."""

    def marker(self) -> str:
        """A unique word such as `k7bq3tz9`: letter first, lower case, no hyphen, so that it survives file names, URLs,
        branch names, mail headers and HTML unchanged."""
        source = self._source()
        return "".join(source.choice(LETTERS if n % 2 == 0 else LETTERS + DIGITS) for n in range(8))

    def run_id(self, wall_epoch: float) -> str:
        """The name of a run and its folder: sortable by time, unique by its tail."""
        stamp = iso(wall_epoch)[:19].replace("-", "").replace(":", "")
        return f"{stamp}Z-{self.marker()}"

    def message_id(self, domain: str) -> str:
        """A Message-ID as RFC 5322 wants it, angle brackets included."""
        return f"<{self.marker()}{self.marker()}@{domain}>"

    def _source(self) -> random.Random:
        if self.seed is None:
            return self._system
        task = current_task() or self
        if task not in self._tasks:
            self._tasks[task] = random.Random(f"{self.seed}/{self._begun}")  # noqa: S311 - chance, not a key
            self._begun += 1
        return self._tasks[task]
