"""The table of passed facts, and its place in the README."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.support import REPOSITORY

README = REPOSITORY / "README.md"
BEGIN, END = "<!-- fidelity: nox -s fidelity -- --write -->", "<!-- /fidelity -->"
_BETWEEN = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)

Passed = Mapping[str, Mapping[str, int]]
"""Service → target → how many facts passed."""


def markdown(totals: Mapping[str, int], passed: Passed) -> str:
    """One row a service and one for all; `totals` has the number of facts of each service."""
    names = list(next(iter(passed.values())))
    lines = [f"| service | facts | {' | '.join(names)} |", "|---|--:|" + "--:|" * len(names)]
    for service, total in totals.items():
        lines.append(f"| {service} | {total} | {' | '.join(str(passed[service][name]) for name in names)} |")
    sums = [sum(each[name] for each in passed.values()) for name in names]
    lines.append(f"| **all** | {sum(totals.values())} | {' | '.join(map(str, sums))} |")
    return "\n".join(lines) + "\n"


def written(page: Path = README) -> str:
    """The table as the page has it. Raises ValueError for a page without one."""
    found = _BETWEEN.search(page.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{page} has no lines {BEGIN} and {END}")
    return found[0]


def write(table: str, page: Path = README) -> None:
    written(page)
    page.write_text(_BETWEEN.sub(lambda _: table, page.read_text(encoding="utf-8")), encoding="utf-8")
