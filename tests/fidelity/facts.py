"""The facts, as `facts/<service>.yaml` writes them.

    setups:
      queue:
        - CreateQueue: {QueueName: $name}
          keep: {url: QueueUrl}
    facts:
      - fact: an empty body is refused
        source: recorded
        setup: queue
        calls:
          - SendMessage: {QueueUrl: $url, MessageBody: ""}
        error: MissingParameter
        message: The request must contain the parameter MessageBody.

The expectation is of the last call: `expect` maps JMESPath expressions to values (`null`: absent; `!matches PATTERN`: a
text that a regular expression matches), or `error`, `status` (400 unless given) and `message` are those of a refusal.
`$name` is new for each fact, `$account` and `$region` are the cloud's, `keep` names parts of an answer for later calls.
A call of another service is written `sns.Subscribe`. `until` repeats a call until its answer is as stated; `after`
has the AWS seconds to wait before it. `each` makes a fact of every row, whose keys are further names.
`open` says why the emulated cloud does not do it yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "facts"
SOURCES = ("docs", "recorded", "report", "model")
"""How a source begins: AWS's documentation, an answer of AWS that was recorded, a public report, botocore's model."""
MODIFIERS = {"keep", "until", "after"}


@dataclass(frozen=True)
class Matches:
    """A text that a regular expression matches from its beginning to its end."""

    pattern: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and re.fullmatch(self.pattern, other, re.DOTALL) is not None

    __hash__ = None  # type: ignore[assignment]  # compares by the pattern


@dataclass(frozen=True)
class Call:
    service: str
    operation: str
    parameters: Mapping[str, Any]
    keep: Mapping[str, str]
    """Name → JMESPath expression of the answer."""
    until: Mapping[str, Any]
    after: float
    """AWS seconds."""


@dataclass(frozen=True)
class Fact:
    service: str
    text: str
    source: str
    calls: Sequence[Call]
    names: Mapping[str, Any]
    """The row of `each`."""
    expect: Mapping[str, Any]
    error: str
    status: int
    message: Any
    open: str

    @property
    def id(self) -> str:
        row = ", ".join(str(value)[:40] for value in self.names.values())
        return f"{self.service}: {self.text}" + (f" [{row}]" if row else "")


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!matches", lambda loader, node: Matches(loader.construct_scalar(node)))


def services() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load(service: str) -> list[Fact]:
    """The facts of a service. Raises ValueError for one that is not written as above."""
    text = (FOLDER / f"{service}.yaml").read_text(encoding="utf-8")
    content = yaml.load(text, _Loader)
    setups = {name: list(_calls(service, calls)) for name, calls in content.get("setups", {}).items()}
    return [fact for entry in content["facts"] for fact in _facts(service, setups, entry)]


def _facts(service: str, setups: Mapping[str, Sequence[Call]], entry: dict[str, Any]) -> Iterator[Fact]:
    given = dict(entry)
    text, source, rows = given.pop("fact"), given.pop("source"), given.pop("each", [{}])
    names = given.pop("setup", [])
    before = [call for name in ([names] if isinstance(names, str) else names) for call in setups[name]]
    fact = {
        "calls": [*before, *_calls(service, given.pop("calls"))],
        "expect": given.pop("expect", {}),
        "error": given.pop("error", ""),
        "status": given.pop("status", 400),
        "message": given.pop("message", None),
        "open": given.pop("open", ""),
    }
    if given:
        raise ValueError(f"{service}: {text}: unknown keys {sorted(given)}; tests/fidelity/facts.py lists them")
    if not source.startswith(SOURCES):
        raise ValueError(f"{service}: {text}: expected a source that begins with one of {SOURCES}, not {source!r}")
    for row in rows:
        yield Fact(service, text, source, names=row, **fact)


def _calls(service: str, entries: Sequence[dict[str, Any]]) -> Iterator[Call]:
    for entry in entries:
        (name,) = set(entry) - MODIFIERS
        other, _, operation = name.rpartition(".")
        yield Call(
            other or service,
            operation,
            entry[name] or {},
            entry.get("keep", {}),
            entry.get("until", {}),
            entry.get("after", 0),
        )
