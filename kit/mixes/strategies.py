"""Hypothesis strategies of session mixes. They draw valid mixes only, small ones more often than large ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from hypothesis import strategies as st

from ..backends.capability import Level, lacking
from .mix import BARRIER, Action, Mix, Person, PlannedFault, Strand
from .subject import FaultKind, Kind, Subject
from .webordinary import Webordinary

Named = TypeVar("Named", Kind, FaultKind)

_AFTER = (0.0, 0.0, 0.0, 1.0, 5.0, 30.0)
"""AWS seconds before an action: often none, so that actions meet."""
_FAULT_AT = (0.0, 1.0, 5.0, 20.0, 60.0)
_FAULT_LASTS = (5.0, 30.0)


@dataclass(frozen=True)
class Space:
    """The mixes that may be drawn."""

    strands: int = 4
    """At most so many."""
    actions: int = 6
    """At most so many in one strand."""
    people: int = 3
    faults: int = 0
    """At most so many faults; none by default."""
    to_zero: bool = False
    """Whether some mixes wait until the system is back at zero."""


def mixes(
    subject: Subject | None = None, space: Space | None = None, *, capabilities: Mapping[str, Level] | None = None
) -> st.SearchStrategy[Mix]:
    """Mixes of a subject, by default Webordinary, of what a cloud with these capabilities can do."""
    subject, space = subject or Webordinary(), space or Space()
    kinds = _possible(subject.kinds, capabilities)
    faults = _possible(subject.faults, capabilities)
    openers = {name: kind for name, kind in kinds.items() if kind.opens}
    if not openers:
        raise ValueError("no kind of action can begin a strand on this cloud")
    people = st.lists(
        st.builds(Person, client=st.sampled_from(subject.clients), user=st.sampled_from(subject.users)),
        min_size=1,
        max_size=space.people,
        unique=True,
    )

    @st.composite
    def drawn(draw: st.DrawFn) -> Mix:
        who = tuple(draw(people))
        number = draw(st.integers(1, space.strands))
        strands = []
        for _ in range(number):
            first = draw(_action(openers, number))
            rest = draw(st.lists(_later(kinds, number), max_size=space.actions - 1))
            strands.append(Strand(draw(st.integers(0, len(who) - 1)), (first, *rest)))
        planned = st.builds(
            PlannedFault,
            kind=st.sampled_from(sorted(faults) or [""]),
            at=st.sampled_from(_FAULT_AT),
            lasts=st.sampled_from(_FAULT_LASTS),
        )
        return Mix(
            people=who,
            strands=tuple(strands),
            faults=tuple(draw(st.lists(planned, max_size=space.faults))) if faults and space.faults else (),
            to_zero=draw(st.booleans()) if space.to_zero else False,
            seed=draw(st.integers(0, 3)) if space.faults else 0,
        )

    return drawn()


def _later(kinds: Mapping[str, Kind], strands: int) -> st.SearchStrategy[Action]:
    """Any action but the first; now and then a barrier, where strands meet."""
    if strands == 1:
        return _action(kinds, strands)
    return st.one_of(_action(kinds, strands), _action(kinds, strands), st.just(Action(BARRIER)))


def _action(kinds: Mapping[str, Kind], strands: int) -> st.SearchStrategy[Action]:
    names = [name for name, kind in kinds.items() if strands > 1 or not kind.refers for _ in range(kind.weight)]
    return st.sampled_from(names).flatmap(lambda name: _of_kind(name, kinds[name], strands))


def _of_kind(name: str, kind: Kind, strands: int) -> st.SearchStrategy[Action]:
    return st.builds(
        Action,
        kind=st.just(name),
        after=st.sampled_from(_AFTER),
        amount=st.sampled_from(kind.amounts or (0.0,)),
        to=st.integers(0, strands - 1) if kind.refers else st.none(),
        waits=st.sampled_from((True, False)) if kind.can_run_on else st.just(True),
    )


def _possible(kinds: Mapping[str, Named], capabilities: Mapping[str, Level] | None) -> dict[str, Named]:
    if capabilities is None:
        return dict(kinds)
    return {name: kind for name, kind in kinds.items() if not lacking(capabilities, kind.needs)}


def events_of(mix: Mix) -> Iterable[str]:
    """What Hypothesis counts of a mix: its width, and what meets in it."""
    yield f"strands: {len(mix.strands)}"
    yield f"people: {len({strand.person for strand in mix.strands})}"
    if mix.faults:
        yield f"faults: {len(mix.faults)}"
