"""The seedable source of the kit's ids and markers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from .clock import iso

LETTERS = "bcdfghjkmnpqrstvwxz"
"""No vowels and no look-alikes: a marker never spells a word that a page might contain."""
DIGITS = "23456789"


@dataclass
class Ids:
    """A source of run ids and markers. Seeded, it repeats itself."""

    source: random.Random = field(default_factory=random.SystemRandom)

    @classmethod
    def seeded(cls, seed: int | None) -> Ids:
        return cls() if seed is None else cls(random.Random(seed))  # noqa: S311 - chance, not a key

    def marker(self) -> str:
        """A unique word such as `k7bq3tz9`: letter first, lower case, no hyphen, so that it survives file names, URLs,
        branch names, mail headers and HTML unchanged."""
        return "".join(self.source.choice(LETTERS if n % 2 == 0 else LETTERS + DIGITS) for n in range(8))

    def run_id(self, wall_epoch: float) -> str:
        """The name of a run and its folder: sortable by time, unique by its tail."""
        stamp = iso(wall_epoch)[:19].replace("-", "").replace(":", "")
        return f"{stamp}Z-{self.marker()}"

    def message_id(self, domain: str) -> str:
        """A Message-ID as RFC 5322 wants it, angle brackets included."""
        return f"<{self.marker()}{self.marker()}@{domain}>"
