"""A mix in words: who does what, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from .mix import BARRIER, Action, Mix, label_of, name_of
from .subject import Subject


def described(mix: Mix, subject: Subject) -> list[str]:
    """The steps of a mix, one line each. A kind that the subject does not have is shown by its name."""
    return list(_lines(mix, subject))


def _lines(mix: Mix, subject: Subject) -> Iterator[str]:
    for number, strand in enumerate(mix.strands):
        yield f"{name_of(number)} ({mix.people[strand.person]})"
        for place, action in enumerate(strand.actions, 1):
            yield f"  {label_of(number, place):<5}{_says(action, label_of(number, place), subject)}"
    for fault in mix.faults:
        kind = subject.faults.get(fault.kind)
        yield f"at {fault.at:g} s, for {fault.lasts:g} s: {kind.says if kind else fault.kind}"
    yield "until nothing runs any more" if mix.to_zero else "until every session has ended"


def _says(action: Action, label: str, subject: Subject) -> str:
    if action.kind == BARRIER:
        words = "waits for the others"
    elif action.kind in subject.kinds:
        to = "" if action.to is None else name_of(action.to)
        words = subject.kinds[action.kind].says.format(label=label, amount=action.amount, to=to)
    else:
        words = action.kind
    before = f"{action.after:g} s later " if action.after else ""
    return f"{before}{words}{'' if action.waits else ', and does not wait for the result'}"
