"""Random ids and choices, seedable."""

from __future__ import annotations

import random
import secrets
import string
from collections.abc import Callable
from functools import cache
from uuid import UUID

_ALNUM = string.ascii_lowercase + string.digits
_SECRET = string.ascii_uppercase + "234567"


class Ids:
    """A source of ids formatted as AWS's. Seeded, the n-th id of a shape and the n-th choice of a kind are always the
    same, whatever else is drawn between them."""

    def __init__(self, chance: Callable[[str], random.Random] = lambda _: random.SystemRandom()) -> None:
        self.chance = chance
        """Where the choices of a kind come from."""

    @classmethod
    def seeded(cls, seed: int) -> Ids:
        return cls(cache(lambda kind: random.Random(f"{seed}/{kind}")))  # noqa: S311 - chance, not a key

    def uuid(self) -> str:
        """A version 4 UUID, as in request ids and stack ids."""
        return str(UUID(int=self.chance("uuid").getrandbits(128), version=4))

    def hex(self, digits: int = 17) -> str:
        """Lower-case hexadecimal, as in `vpc-0abc…` (17 digits) and ECS task ids (32)."""
        return f"{self.chance(f'hex {digits}').getrandbits(4 * digits):0{digits}x}"

    def alnum(self, length: int) -> str:
        """Lower-case letters and digits, as in SES message ids and ECS Exec session ids."""
        return "".join(self.chance(f"alnum {length}").choices(_ALNUM, k=length))

    def secret(self, length: int) -> str:
        """Upper-case letters and digits for keys, from the system's randomness even in a seeded source."""
        return "".join(secrets.choice(_SECRET) for _ in range(length))
