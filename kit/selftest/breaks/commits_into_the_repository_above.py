"""The container commits regularly in any folder, and git walks up into a repository that is not its own."""

import asyncio
import os
import subprocess
from typing import Any

from ..breaking import Break

_EVERY = 5.0
"""AWS seconds; the deployed one did it every 30."""
_IDENTITY = ("-c", "user.name=Auto", "-c", "user.email=auto@webordinary.invalid", "-c", "safe.directory=*")

BREAK = Break("edit", "hostile_input", r"the repository above the projects to be unchanged")


@BREAK.replaces("edit.container", "Container.start_background")
def start_commits(start_background: Any, container: Any) -> None:
    start_background(container)
    container._background.append(asyncio.create_task(_again_and_again(container)))


async def _again_and_again(container: Any) -> None:
    root = container._workspace.root.resolve()
    # git walks up to the workspace and no further: what lies above it belongs to this machine.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    commit = ["git", *_IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "auto-save"]
    while True:
        await asyncio.to_thread(subprocess.run, commit, cwd=root, env=environment, capture_output=True, check=False)
        await container.clock.sleep(_EVERY)
