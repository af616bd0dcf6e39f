"""Compares two runs: the same scenarios, steps and checks in the same order, on any clouds.

    report.json, history.jsonl --read--> scenarios, steps, checks --align, substitution--> what differs
                                                              \\--> times, side by side

Ids, names and addresses differ between runs. None is ignored: each is paired with its counterpart at its first
occurrence, and must correspond to it ever after.
"""

from __future__ import annotations

from .compare import Parity, compare
from .observation import RecordedRun, read_run

__all__ = ["Parity", "RecordedRun", "compare", "read_run"]
