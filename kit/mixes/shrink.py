"""Makes a mix smaller while it still fails: whole strands first, then actions, then what is drawn of each action.

A mix is a value, so this takes far fewer performances than making a drawing smaller, choice by choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from .mix import BARRIER, Action, Mix, Strand
from .subject import Subject


def shrink(mix: Mix, subject: Subject, fails: Callable[[Mix], bool]) -> Mix:
    """The smallest mix that was found; none of its own smaller forms fails. `fails` may raise to end the search."""
    tried = {mix.id}
    found = True
    while found:
        found = False
        for candidate in smaller(mix, subject):
            if candidate.id in tried:
                continue
            tried.add(candidate.id)
            if fails(candidate):
                mix, found = candidate, True
                break
    return mix


def smaller(mix: Mix, subject: Subject) -> Iterator[Mix]:
    """Valid mixes that are one step smaller, the smallest first."""
    everything = range(len(mix.strands))
    if len(mix.strands) > 2:
        for kept in everything:
            yield from _valid(_without(mix, [strand for strand in everything if strand != kept]), subject)
    if mix.faults:
        yield replace(mix, faults=())
    if len(mix.strands) > 1:
        for strand in everything:
            yield from _valid(_without(mix, [strand]), subject)
    yield from _shorter(mix, subject)
    if len(mix.faults) > 1:
        for at in range(len(mix.faults)):
            yield replace(mix, faults=(*mix.faults[:at], *mix.faults[at + 1 :]))
    yield from _simpler(mix, subject)
    if mix.to_zero:
        yield replace(mix, to_zero=False)
    if mix.seed:
        yield replace(mix, seed=0)


def _shorter(mix: Mix, subject: Subject) -> Iterator[Mix]:
    """One strand without a run of its actions: half of them, and then each."""
    for number, strand in enumerate(mix.strands):
        length = len(strand.actions)
        runs = [(0, length // 2), (length // 2, length)] if length > 2 else []
        runs += [(at, at + 1) for at in reversed(range(length))] if length > 1 else []
        for start, end in runs:
            yield from _valid(_put(mix, number, (*strand.actions[:start], *strand.actions[end:])), subject)


def _simpler(mix: Mix, subject: Subject) -> Iterator[Mix]:
    """One action in its plainest form; everybody the first person."""
    for number, strand in enumerate(mix.strands):
        if strand.person:
            strands = (*mix.strands[:number], replace(strand, person=0), *mix.strands[number + 1 :])
            yield _used_people(replace(mix, strands=strands))
        for at, action in enumerate(strand.actions):
            for plain in _plainer(action, subject):
                yield _put(mix, number, (*strand.actions[:at], plain, *strand.actions[at + 1 :]))


def _plainer(action: Action, subject: Subject) -> Iterator[Action]:
    if action.after:
        yield replace(action, after=0.0)
    if action.kind == BARRIER:
        return
    amounts = subject.kinds[action.kind].amounts
    if amounts and action.amount != amounts[0]:
        yield replace(action, amount=amounts[0])
    if not action.waits:
        yield replace(action, waits=True)


def _put(mix: Mix, strand: int, actions: Sequence[Action]) -> Mix:
    changed = replace(mix.strands[strand], actions=tuple(actions))
    return replace(mix, strands=(*mix.strands[:strand], changed, *mix.strands[strand + 1 :]))


def _without(mix: Mix, gone: Sequence[int]) -> Mix:
    """The mix without some strands, and without the actions that refer to them."""
    left = [number for number in range(len(mix.strands)) if number not in gone]
    place = {number: at for at, number in enumerate(left)}
    strands = []
    for number in left:
        actions = [
            action if action.to is None else replace(action, to=place[action.to])
            for action in mix.strands[number].actions
            if action.to is None or action.to in place
        ]
        strands.append(Strand(mix.strands[number].person, tuple(actions)))
    return _used_people(replace(mix, strands=tuple(strands)))


def _used_people(mix: Mix) -> Mix:
    used = sorted({strand.person for strand in mix.strands})
    place = {person: at for at, person in enumerate(used)}
    strands = tuple(replace(strand, person=place[strand.person]) for strand in mix.strands)
    return replace(mix, people=tuple(mix.people[person] for person in used), strands=strands)


def _valid(mix: Mix, subject: Subject) -> Iterator[Mix]:
    """The mix, if every strand begins with an action that may begin one."""
    firsts = [strand.actions[0].kind if strand.actions else BARRIER for strand in mix.strands]
    if mix.strands and all(kind != BARRIER and subject.kinds[kind].opens for kind in firsts):
        yield mix
