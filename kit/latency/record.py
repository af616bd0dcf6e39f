"""Reads the delays of an emulated run: `delays.jsonl` in its folder, which the emulated cloud writes."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = "delays.jsonl"


@dataclass(frozen=True)
class Line:
    """One line of a profile."""

    source: str
    date: str
    quantiles: Sequence[float]
    """AWS seconds at 1, 2, … 99 %."""

    def at(self, share: float) -> float:
        """The seconds that this share (0 to 1) of the delays does not exceed, between 1 and 99 %."""
        position = min(max(share * 100 - 1, 0.0), len(self.quantiles) - 1)
        low = int(position)
        high = min(low + 1, len(self.quantiles) - 1)
        return self.quantiles[low] + (self.quantiles[high] - self.quantiles[low]) * (position - low)

    def share(self, seconds: float) -> float:
        """The share of delays that are not longer (0 to 1)."""
        return bisect_right(self.quantiles, seconds) / (len(self.quantiles) + 1)


@dataclass(frozen=True)
class Delay:
    """One delay of the run."""

    name: str
    """The profile's line."""
    resource: str
    seconds: float
    """AWS seconds."""
    began: float | None = None
    """AWS epoch seconds; None for a draw that did not delay anything by itself, such as the second of its minute at
    which an alarm is evaluated."""
    number: int | None = None
    """The number of the draw on its resource; None for a wait whose length follows from an earlier draw."""
    factor: float = 1.0
    """By which the profile's seconds were multiplied: the image's size."""

    @property
    def ended(self) -> float:
        return (self.began or 0.0) + self.seconds


@dataclass(frozen=True)
class Record:
    """The delays of a run and the profile that they were drawn from; empty without a profile."""

    profile: str = ""
    seed: int | None = None
    lines: Mapping[str, Line] = field(default_factory=dict)
    delays: Sequence[Delay] = ()


def read(folder: Path) -> Record:
    """The record in a run's folder. Skips a last line that a kill cut off."""
    path = folder / FILE
    if not path.is_file():
        return Record()
    entries: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(text))
        except ValueError:
            continue
    if not entries or "profile" not in entries[0]:
        return Record()
    head = entries[0]["profile"]
    return Record(
        head["name"],
        entries[0]["seed"],
        {name: Line(line["source"], line["date"], line["quantiles"]) for name, line in head["delays"].items()},
        [
            Delay(
                entry["delay"],
                entry["resource"],
                entry["seconds"],
                entry.get("began"),
                entry.get("number"),
                entry.get("factor", 1.0),
            )
            for entry in entries[1:]
        ],
    )
