"""Formats a comparison as lines for a terminal or as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .align import Difference
from .compare import Parity, Times


def lines(parity: Parity, *, steps: bool = False) -> Iterator[str]:
    """Lines of text; `steps` adds the times of every step."""
    yield f"A: {parity.a.name}"
    yield f"B: {parity.b.name}"
    width = max((len(one.name) for one in parity.scenarios), default=8)
    yield ""
    yield f"{'scenario':<{width}}  steps  checks   A, AWS s   B, AWS s  B / A"
    for one in parity.scenarios:
        if one.lacking:
            continue
        mark = "differs" if one.differences else "same"
        yield f"{one.name:<{width}}  {one.steps:>5}  {one.checks:>6}  {_seconds(one.times)}  {mark}"
        if steps:
            wide = max((len(each.name) for each in one.step_times), default=0)
            yield from (f"    {each.name:<{wide}}  {_seconds(each)}" for each in one.step_times)
    lacking = [one for one in parity.scenarios if one.lacking]
    if lacking:
        yield ""
        yield "not compared, for want of a capability:"
        yield from (f"    {one.name:<{width}}  {one.lacking}" for one in lacking)
    timed = [(one.name, what) for one in parity.scenarios for what in one.timed]
    if timed:
        yield ""
        yield "judged in one run only, by the speed of its clock:"
        yield from (f"    {name:<{width}}  {what}" for name, what in timed)
    for title, found in _found(parity):
        yield ""
        yield f"{title}:"
        for each in found:
            yield from (f"    {line}" for line in _describe(each))
    yield ""
    yield verdict(parity)


def markdown(parity: Parity) -> str:
    """A page with every step."""
    out = ["# Two runs, side by side", "", f"A: {parity.a.name}  ", f"B: {parity.b.name}", "", verdict(parity), ""]
    out += ["| scenario | steps | checks | A, AWS s | B, AWS s | B / A | |", "|---|--:|--:|--:|--:|--:|---|"]
    for one in parity.scenarios:
        said = one.lacking or ("**differs**" if one.differences else "same")
        out.append(f"| {one.name} | {one.steps} | {one.checks} | {_cells(one.times)} | {said} |")
    for title, found in _found(parity):
        out += ["", f"## {title}", ""]
        for each in found:
            out += [
                f"- {_escaped(line)}" if not number else f"  {_escaped(line)}"
                for number, line in enumerate(_describe(each))
            ]
    for one in parity.compared:
        out += ["", f"## {one.name}, step by step", "", "| step | A, AWS s | B, AWS s | B / A |", "|---|--:|--:|--:|"]
        out += [f"| {_escaped(each.name)} | {_cells(each)} |" for each in one.step_times]
    return "\n".join(out) + "\n"


def verdict(parity: Parity) -> str:
    """The result in one line."""
    number = len(parity.all_differences)
    compared = parity.compared
    checks = sum(one.checks for one in compared)
    steps = sum(one.steps for one in compared)
    if not compared:
        return "nothing could be compared"
    if number:
        return f"{number} differ{'s' if number == 1 else ''}, in {len(compared)} scenarios with {checks} checks"
    left = len(parity.scenarios) - len(compared)
    apart = f"; {left} not compared" if left else ""
    also = f"; {parity.of_one_seed}" if parity.of_one_seed else ""
    return f"the same but for times and ids: {len(compared)} scenarios, {steps} steps, {checks} checks{also}{apart}"


def _found(parity: Parity) -> Iterator[tuple[str, Sequence[Difference]]]:
    if parity.differences:
        yield "the runs", parity.differences
    yield from ((one.name, one.differences) for one in parity.scenarios if one.differences)


def _describe(difference: Difference) -> Iterator[str]:
    where = f", in step {difference.where}" if difference.where else ""
    yield f"{difference.what} {difference.how}{where}"
    if difference.a:
        yield f"  A: {difference.a}"
    if difference.b:
        yield f"  B: {difference.b}"


def _seconds(times: Times) -> str:
    a, b = (f"{value:>9.1f}" if value is not None else f"{'-':>9}" for value in (times.a, times.b))
    ratio = f"{times.ratio:>5.2f}" if times.ratio is not None else f"{'-':>5}"
    return f"{a}  {b}  {ratio}"


def _cells(times: Times) -> str:
    return " | ".join(part.strip() for part in _seconds(times).split("  ") if part.strip())


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
