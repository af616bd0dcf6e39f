"""Two sequences of texts, aligned: what is only in one, what moved, what says something else.

Nothing is reported exactly when the sequences have the same templates in the same order and their values pair up one
to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from .substitution import Substitution
from .values import Text

TRIES = 5000
"""Ways of pairing strands that are tried before the likeliest is taken."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs; a side that has nothing of it is empty."""

    what: str
    """`step`, `check`, `verdict` …"""
    how: str
    a: str = ""
    b: str = ""
    where: str = ""
    """The step it is in."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value}


def aligned(
    what: str, a: Sequence[Text], b: Sequence[Text], pairs: Substitution, where: str = ""
) -> tuple[list[Difference], list[tuple[int, int]]]:
    """What differs, and the places of the texts that belong together."""
    told: list[Difference] = []
    together: list[tuple[int, int]] = []
    only_a: list[Text] = []
    only_b: list[Text] = []
    matcher = SequenceMatcher(None, [each.template for each in a], [each.template for each in b], autojunk=False)
    for tag, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if tag != "equal":
            only_a += a[a_from:a_to]
            only_b += b[b_from:b_to]
            continue
        for at, bt in zip(range(a_from, a_to), range(b_from, b_to), strict=True):
            together.append((at, bt))
            conflict = pairs.conflict(a[at], b[bt])
            if conflict:
                told.append(Difference(what, f"another value: {conflict}", a[at].text, b[bt].text, where))
            else:
                pairs.learn(a[at], b[bt])
    told += _one_sided(what, only_a, only_b, where)
    return told, together


def beside_each_other(
    what: str, a: Sequence[Sequence[Text]], b: Sequence[Sequence[Text]], pairs: Substitution, where: str
) -> list[Difference]:
    """Strands have no order among each other: each of `a` is paired with one of `b` that says the same."""
    found, left = _paired(list(a), list(b), pairs, [TRIES])
    if found is not None:
        pairs.there, pairs.back = found.there, found.back
        return []
    told: list[Difference] = []
    left = list(b)
    for strand in sorted(a, key=len, reverse=True):
        if not left:
            told += [Difference(what, "only in A", each.text, where=where) for each in strand]
            continue
        closest = max(left, key=lambda other: _likeness(strand, other))
        left.remove(closest)
        told += aligned(what, strand, closest, pairs, where)[0]
    told += [Difference(what, "only in B", b=each.text, where=where) for strand in left for each in strand]
    return told or [Difference(what, "beside each other they do not go together", where=where)]


def _paired(
    a: list[Sequence[Text]], b: list[Sequence[Text]], pairs: Substitution, tries: list[int]
) -> tuple[Substitution | None, list[Sequence[Text]]]:
    """A substitution under which every strand of `a` is one of `b`; None when there is none, or it takes too long."""
    if len(a) != len(b):
        return None, b
    if not a:
        return pairs, []
    for number, other in enumerate(b):
        tries[0] -= 1
        trial = pairs.copy()
        if len(other) == len(a[0]) and trial.agrees(zip(a[0], other, strict=True)):
            found, left = _paired(a[1:], b[:number] + b[number + 1 :], trial, tries)
            if found is not None:
                return found, left
        if tries[0] <= 0:
            break
    return None, b


def _likeness(a: Sequence[Text], b: Sequence[Text]) -> float:
    return SequenceMatcher(None, [each.template for each in a], [each.template for each in b], autojunk=False).ratio()


def _one_sided(what: str, only_a: list[Text], only_b: list[Text], where: str) -> list[Difference]:
    """What is in one sequence only; in both, but at another place, it has moved."""
    told: list[Difference] = []
    left = list(only_b)
    for each in only_a:
        moved = next((other for other in left if other.template == each.template), None)
        if moved is not None:
            left.remove(moved)
            told.append(Difference(what, "at another place", each.text, moved.text, where))
        else:
            told.append(Difference(what, "only in A", each.text, where=where))
    return told + [Difference(what, "only in B", b=each.text, where=where) for each in left]
