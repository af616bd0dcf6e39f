"""Sets of names, written as they are read: separated by spaces."""

from __future__ import annotations


def words(names: str) -> frozenset[str]:
    return frozenset(names.split())
