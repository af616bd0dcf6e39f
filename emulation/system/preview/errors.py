"""The one error of the preview."""

from __future__ import annotations


class PreviewError(Exception):
    """A source the preview cannot show: the file, the line (from 1) and what is wrong there."""

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message
