"""Two runs side by side: the same scenarios, steps and checks in the same order, whatever clouds they ran on.

    report.json, history.jsonl --seen--> scenarios, steps, checks --align, substitution--> what differs
                                                              \\--> times, side by side

Ids, names and addresses differ between runs. None is hidden: each is paired with its counterpart when it is first met,
and must stand for the same one ever after.
"""

from __future__ import annotations

from .compare import Parity, compare
from .observation import SeenRun, run_at

__all__ = ["Parity", "SeenRun", "compare", "run_at"]
