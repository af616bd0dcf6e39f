"""A session mix: who does what, when, and which faults happen meanwhile. A plan, drawn up before anything runs.

A mix is a value: frozen, comparable, with a versioned JSON form. Everything that a step depends on is in it, so the
same mix can be run again anywhere: on another emulated cloud, on AWS, or by hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from string import ascii_lowercase
from typing import Any, TypeVar

from ..core.errors import UsageError

VERSION = 1
"""Of the JSON form; a kit reads its own and older ones."""
BARRIER = "barrier"
"""The kind of an action that waits for all strands with a barrier of the same number."""

T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Someone who has sessions. The names are those of the mix; a run makes them unique."""

    client: str
    user: str
    """A local part, and after an `@` the name of its domain if it is not the usual one: `john`, `john@other`."""

    def __str__(self) -> str:
        return f"{self.client}/{self.user}"


@dataclass(frozen=True)
class Action:
    """One action of a strand."""

    kind: str
    """A kind of the subject (see `kit.mixes.subject`), or `barrier`."""
    after: float = 0.0
    """AWS seconds between the end of the action before and this one."""
    amount: float = 0.0
    """How much of it; its meaning is the kind's, such as the share of the idle time."""
    to: int | None = None
    """The number of another strand that it refers to."""
    waits: bool = True
    """Whether the strand waits for its result before it goes on."""


@dataclass(frozen=True)
class Strand:
    """The actions of one person in one thread of work, one after the other. Strands run side by side."""

    person: int
    """Its place in `Mix.people`."""
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class PlannedFault:
    """A fault of the schedule."""

    kind: str
    """A fault of the subject."""
    at: float
    """AWS seconds after the beginning of the mix."""
    lasts: float
    """AWS seconds."""


@dataclass(frozen=True)
class Mix:
    """People, their strands, and faults."""

    people: tuple[Person, ...]
    strands: tuple[Strand, ...]
    faults: tuple[PlannedFault, ...] = ()
    to_zero: bool = False
    """Whether it ends only when the system is back at zero; otherwise the next mix finds it warm."""
    seed: int = 0
    """Of the faults that happen by chance."""

    def __post_init__(self) -> None:
        for at, strand in enumerate(self.strands):
            if not 0 <= strand.person < len(self.people):
                raise UsageError(f"strand {name_of(at)} is of person {strand.person}, of {len(self.people)}")
            for action in strand.actions:
                if action.to is not None and not 0 <= action.to < len(self.strands):
                    raise UsageError(
                        f"an action of strand {name_of(at)} refers to strand {action.to}, which is not there"
                    )

    @property
    def id(self) -> str:
        """The same for the same mix, in every process: 12 hexadecimal digits."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    @property
    def size(self) -> int:
        """The number of actions and faults."""
        return len(self.faults) + sum(1 for _ in self.actions())

    def actions(self) -> Iterator[tuple[str, int, Action]]:
        """Every action but barriers: its label, such as `a.1`, the number of its strand, and itself."""
        for number, strand in enumerate(self.strands):
            for place, action in enumerate(strand.actions, 1):
                if action.kind != BARRIER:
                    yield label_of(number, place), number, action

    def person_of(self, strand: int) -> Person:
        return self.people[self.strands[strand].person]

    def to_json(self) -> dict[str, Any]:
        """Its JSON form; defaults are left out."""
        return {
            "version": VERSION,
            "people": [asdict(person) for person in self.people],
            "strands": [
                {"person": strand.person, "actions": [_compact(action) for action in strand.actions]}
                for strand in self.strands
            ],
            "faults": [_compact(fault) for fault in self.faults],
            "to_zero": self.to_zero,
            "seed": self.seed,
        }


def from_json(value: object) -> Mix:
    """A mix from its JSON form. Raises `UsageError` that names what does not fit."""
    whole = _object(value, "a mix")
    version = whole.get("version")
    if not isinstance(version, int) or version < 1:
        raise UsageError("this is no mix: it has no version", next="give a file that kit explore has written")
    if version > VERSION:
        raise UsageError(
            f"the mix has version {version}; this kit reads up to {VERSION}", next="install a newer kit to replay it"
        )
    unknown = whole.keys() - {"version", *(field.name for field in fields(Mix))}
    if unknown:
        raise UsageError(f"a mix has no {', '.join(sorted(unknown))}")
    return Mix(
        people=tuple(_made(Person, each) for each in _list(whole, "people")),
        strands=tuple(_strand(each) for each in _list(whole, "strands")),
        faults=tuple(_made(PlannedFault, each) for each in whole.get("faults", ())),
        to_zero=bool(whole.get("to_zero", False)),
        seed=_number(whole.get("seed", 0), "seed"),
    )


def name_of(strand: int) -> str:
    """The name of a strand: `a` to `z`, then `aa`."""
    high, low = divmod(strand, len(ascii_lowercase))
    return (name_of(high - 1) if high else "") + ascii_lowercase[low]


def label_of(strand: int, place: int) -> str:
    """The label of an action: its strand, and its place from 1."""
    return f"{name_of(strand)}.{place}"


def _strand(value: object) -> Strand:
    strand = _object(value, "a strand")
    actions = tuple(_made(Action, each) for each in _list(strand, "actions"))
    return Strand(_number(strand.get("person"), "person"), actions)


def _made(of: type[T], value: object) -> T:
    """A dataclass of strings and numbers from its JSON object."""
    given = _object(value, f"a {of.__name__}")
    kinds = {field.name: field for field in fields(of)}  # type: ignore[arg-type]
    for name, each in given.items():
        if name not in kinds:
            raise UsageError(f"a {of.__name__} has no {name!r}", next=f"it has {', '.join(kinds)}")
        wanted = str(kinds[name].type)
        right = {
            "str": isinstance(each, str),
            "float": isinstance(each, int | float) and not isinstance(each, bool),
            "bool": isinstance(each, bool),
            "int | None": each is None or (isinstance(each, int) and not isinstance(each, bool)),
        }
        if not right[wanted]:
            raise UsageError(f"{name} of a {of.__name__} is {wanted}, got {each!r}")
        if wanted == "float" and each < 0:
            raise UsageError(f"{name} of a {of.__name__} is 0 or more, got {each!r}")
    try:
        return of(**{name: float(each) if kinds[name].type == "float" else each for name, each in given.items()})
    except TypeError as error:
        raise UsageError(f"a {of.__name__} is incomplete: {error}") from None


def _compact(value: Any) -> dict[str, Any]:
    return {
        field.name: getattr(value, field.name) for field in fields(value) if getattr(value, field.name) != field.default
    }


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"expected {what} as a JSON object, got {type(value).__name__}")
    return value


def _list(of: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = of.get(name)
    if not isinstance(value, list) or not value:
        raise UsageError(f"a mix needs {name}: a list that is not empty, got {value!r}")
    return value


def _number(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError(f"{name} is a whole number from 0 on, got {value!r}")
    return value
