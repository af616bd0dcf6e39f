"""Where ids and chance come from: one source, handed in; and ids that are derived, not drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from uuid import UUID, uuid5

_NAMESPACE = UUID("5b6d8a3e-9a55-4c1b-8a38-2f0c5a1d7e11")


@dataclass
class Ids:
    """Random ids. Seeded, they repeat themselves."""

    source: random.Random = field(default_factory=random.SystemRandom)

    def uuid(self) -> str:
        return str(UUID(int=self.source.getrandbits(128), version=4))

    def jitter(self, seconds: float) -> float:
        """Between half of it and all of it, so that those who failed together do not retry together."""
        return seconds * self.source.uniform(0.5, 1.0)


def derived(*parts: str) -> str:
    """The UUID that belongs to these parts: the same parts give the same id, in every process."""
    return str(uuid5(_NAMESPACE, "\0".join(parts)))
