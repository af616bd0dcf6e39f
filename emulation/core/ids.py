"""Random ids, from one seedable source."""

from __future__ import annotations

import random
import secrets
import string
from dataclasses import dataclass, field
from uuid import UUID

_ALNUM = string.ascii_lowercase + string.digits
_SECRET = string.ascii_uppercase + "234567"


@dataclass
class Ids:
    """A source of ids formatted as AWS's. A seed makes it deterministic."""

    source: random.Random = field(default_factory=random.SystemRandom)

    @classmethod
    def seeded(cls, seed: int) -> Ids:
        return cls(random.Random(seed))  # noqa: S311 - chance, not a key

    def uuid(self) -> str:
        """A version 4 UUID, as in request ids and stack ids."""
        return str(UUID(int=self.source.getrandbits(128), version=4))

    def hex(self, digits: int = 17) -> str:
        """Lower-case hexadecimal, as in `vpc-0abc…` (17 digits) and ECS task ids (32)."""
        return f"{self.source.getrandbits(4 * digits):0{digits}x}"

    def alnum(self, length: int) -> str:
        """Lower-case letters and digits, as in SES message ids and ECS Exec session ids."""
        return "".join(self.source.choices(_ALNUM, k=length))

    def secret(self, length: int) -> str:
        """Upper-case letters and digits for keys, from the system's randomness even in a seeded source."""
        return "".join(secrets.choice(_SECRET) for _ in range(length))
