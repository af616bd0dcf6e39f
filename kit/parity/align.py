"""Aligns two sequences of texts and reports items that are missing, moved or different.

No difference means: the same templates in the same order, with values that pair up one to one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from .substitution import Substitution
from .values import Text

TRIES = 5000
"""Pairings of strands to try before choosing the most similar."""


@dataclass(frozen=True)
class Difference:
    """One difference; a side without a counterpart is empty."""

    what: str
    """`step`, `check`, `verdict` …"""
    how: str
    a: str = ""
    b: str = ""
    where: str = ""
    """Its step."""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value}


def align(
    what: str, a: Sequence[Text], b: Sequence[Text], pairs: Substitution, where: str = ""
) -> tuple[list[Difference], list[tuple[int, int]]]:
    """The differences, and the positions of matching texts."""
    found: list[Difference] = []
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
                found.append(Difference(what, f"another value: {conflict}", a[at].text, b[bt].text, where))
            else:
                pairs.learn(a[at], b[bt])
    found += _one_sided(what, only_a, only_b, where)
    return found, together


def align_strands(
    what: str, a: Sequence[Sequence[Text]], b: Sequence[Sequence[Text]], pairs: Substitution, where: str
) -> list[Difference]:
    """Pairs each strand of `a` with an equal strand of `b`; strands have no order."""
    pairing, _ = _paired(list(a), list(b), pairs, [TRIES])
    if pairing is not None:
        pairs.there, pairs.back = pairing.there, pairing.back
        return []
    found: list[Difference] = []
    left = list(b)
    for strand in sorted(a, key=len, reverse=True):
        if not left:
            found += [Difference(what, "only in A", each.text, where=where) for each in strand]
            continue
        closest = max(left, key=lambda other: _likeness(strand, other))
        left.remove(closest)
        found += align(what, strand, closest, pairs, where)[0]
    found += [Difference(what, "only in B", b=each.text, where=where) for strand in left for each in strand]
    return found or [Difference(what, "their strands do not match", where=where)]


def _paired(
    a: list[Sequence[Text]], b: list[Sequence[Text]], pairs: Substitution, tries: list[int]
) -> tuple[Substitution | None, list[Sequence[Text]]]:
    """A substitution that maps every strand of `a` to one of `b`; None when there is none within the tries."""
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
    """Texts in only one sequence; a text in both, at another place, has moved."""
    found: list[Difference] = []
    left = list(only_b)
    for each in only_a:
        moved = next((other for other in left if other.template == each.template), None)
        if moved is not None:
            left.remove(moved)
            found.append(Difference(what, "at another place", each.text, moved.text, where))
        else:
            found.append(Difference(what, "only in A", each.text, where=where))
    return found + [Difference(what, "only in B", b=each.text, where=where) for each in left]
