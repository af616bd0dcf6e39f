"""Reads a repository's refs from its files: a branch's head without starting a process."""

from __future__ import annotations

from pathlib import Path


def commit_of(git_dir: Path, ref: str) -> str | None:
    """The commit of a full ref name (`refs/heads/…`); None when there is no such ref or repository."""
    try:
        return (git_dir / ref).read_text().strip() or None
    except OSError:
        return _packed(git_dir, ref)


def current_branch(git_dir: Path) -> str | None:
    """The full ref name HEAD is at."""
    try:
        head = (git_dir / "HEAD").read_text().strip()
    except OSError:
        return None
    return head.removeprefix("ref: ") if head.startswith("ref: ") else None


def _packed(git_dir: Path, ref: str) -> str | None:
    try:
        lines = (git_dir / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(" ")[0] for line in lines if line.endswith(f" {ref}")), None)
