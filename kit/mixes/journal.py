"""The journal of an exploration: every example as soon as it is judged, so that a killed exploration can go on."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TextIO

from ..core.errors import UsageError
from ..core.verdict import Verdict
from .performance import Coverage, Judgement


class Journal:
    """A JSONL file: the exploration's seed first, then a line for each example."""

    def __init__(self, path: Path, seed: int, *, goes_on: bool = False) -> None:
        """Begin a journal, or go on with the one that is there, whose seed then counts. Raises `UsageError`."""
        self.path = path
        self.seed = seed
        self.known: dict[str, Verdict] = {}
        """The verdicts of the earlier examples, by the mix's id."""
        self.coverage: Coverage = Counter()
        if goes_on:
            self._read()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = path.open("a" if goes_on else "w", encoding="utf-8")
        if not goes_on:
            self._write({"seed": seed})

    def add(self, judged: Judgement) -> None:
        self.known[judged.mix.id] = judged.verdict
        self.coverage += judged.coverage
        covered = [[*pair, times] for pair, times in judged.coverage.items()]
        self._write({"mix": judged.mix.id, "verdict": judged.verdict, "coverage": covered})

    def close(self) -> None:
        self._file.close()

    def _write(self, line: object) -> None:
        self._file.write(f"{json.dumps(line)}\n")
        self._file.flush()

    def _read(self) -> None:
        try:
            first, *lines = self.path.read_text(encoding="utf-8").splitlines()
            self.seed = int(json.loads(first)["seed"])
        except (OSError, ValueError, KeyError, TypeError):
            raise UsageError(
                f"there is no exploration to go on with in {self.path}", next="leave out --continue"
            ) from None
        for text in lines:
            try:
                line = json.loads(text)
                self.known[line["mix"]] = Verdict(line["verdict"])
                self.coverage += Counter({(kind, state, fault): n for kind, state, fault, n in line["coverage"]})
            except (ValueError, KeyError, TypeError):
                continue  # a kill cut the line off
