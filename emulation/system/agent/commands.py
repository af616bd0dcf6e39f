"""What an instruction can ask for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AddPage:
    title: str
    text: str | None = None


@dataclass(frozen=True)
class CreateFile:
    path: str
    text: str | None = None


@dataclass(frozen=True)
class UpdateFile:
    target: str
    """A path, a file's name, or a page's title."""
    text: str


@dataclass(frozen=True)
class ReplaceText:
    target: str
    old: str
    new: str


@dataclass(frozen=True)
class DeleteFile:
    target: str


@dataclass(frozen=True)
class Fail:
    reason: str


@dataclass(frozen=True)
class Slow:
    seconds: float
    """AWS seconds."""


Command = AddPage | CreateFile | UpdateFile | ReplaceText | DeleteFile | Fail | Slow
