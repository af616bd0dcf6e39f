"""Code blocks of the documents, so that tests run what a reader copies."""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(r'^```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<code>.*?)^```$', re.DOTALL | re.M)


def blocks(page: Path, language: str) -> list[str]:
    """The code of every block in this language."""
    return [found["code"] for found in _BLOCK.finditer(page.read_text()) if found["language"] == language]


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write every block that has a title to the file that the title names; returns the files."""
    files = []
    for found in _BLOCK.finditer(page.read_text()):
        if found["title"]:
            file = folder / found["title"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(found["code"])
            files.append(file)
    return files
