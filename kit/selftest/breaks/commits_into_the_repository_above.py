"""The container commits now and then wherever it stands, and git walks up into a repository that is not its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Any

from ..breaking import Break, part, wrap

_EVERY = 5.0
"""AWS seconds; the deployed one did it every 30."""
_IDENTITY = ("-c", "user.name=Auto", "-c", "user.email=auto@webordinary.invalid", "-c", "safe.directory=*")


def apply() -> None:
    def by(start_background: Any) -> Any:
        def started(self: Any) -> None:
            start_background(self)
            self._background.append(asyncio.create_task(_again_and_again(self)))

        return started

    wrap(part("edit.container").Container, "start_background", by)


async def _again_and_again(container: Any) -> None:
    root = container._workspace.root
    # It walks up to the workspace and no further: what lies above it is the machine's own.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.resolve().parent)}
    commit = ["git", *_IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "auto-save"]
    while True:
        await asyncio.to_thread(
            subprocess.run, commit, cwd=root.resolve(), env=environment, capture_output=True, check=False
        )
        await container.clock.sleep(_EVERY)


BREAK = Break("edit", "hostile_input", r"the repository above the projects to be unchanged", apply)
