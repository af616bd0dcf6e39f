"""Compares what two runs of one seed have in common beyond their checks: every operation, and the cloud's delays."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .align import Difference, align, align_strands
from .observation import RecordedOperation, RecordedRun
from .substitution import Substitution
from .values import Text, parse

_OWN = ("", False)
"""The key of the scenario's own strand."""


def operations(
    a: Sequence[RecordedOperation], b: Sequence[RecordedOperation], chance: Collection[str], pairs: Substitution
) -> list[Difference]:
    """Compares the scenario's operations in their order; then, step by step, those of its strands, which have none.

    `chance`: steps whose number of operations varies."""
    mine, other = (_strands([each for each in run if each.step not in chance]) for run in (a, b))
    found, _ = align("operation", mine.pop(_OWN, [[]])[0], other.pop(_OWN, [[]])[0], pairs)
    for key in dict.fromkeys([*mine, *other]):
        found += align_strands("operation", mine.get(key, ()), other.get(key, ()), pairs, key[0])
    return found


def delays(a: RecordedRun, b: RecordedRun) -> list[Difference]:
    """The delays that were drawn in both runs for the same resource, and differ. A longer run draws more."""
    return [
        Difference("delay", f"differs: {name}", f"{seconds:g} s", f"{b.delays[name]:g} s")
        for name, seconds in a.delays.items()
        if b.delays.get(name, seconds) != seconds
    ]


def _strands(run: Sequence[RecordedOperation]) -> dict[tuple[str, bool], list[list[Text]]]:
    """Step → strands."""
    found: dict[tuple[str, bool], dict[int, list[Text]]] = {}
    for each in run:
        key = (parse(each.step).template, True) if each.strand else _OWN
        found.setdefault(key, {}).setdefault(each.strand, []).append(parse(each.what))
    return {key: list(strands.values()) for key, strands in found.items()}
