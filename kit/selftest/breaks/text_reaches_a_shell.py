"""What a commit is to say is told by a shell: commands in a client's text are run."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from ..breaking import Break, part, wrap


def apply() -> None:
    def by(commit: Any) -> Any:
        def told(self: Any, changes: Any, message: str) -> None:
            commit(self, changes, message)
            workspace = os.environ["WORKSPACE_PATH"]
            # What would leave its traces in /tmp leaves them in the run's own folder: a break may not litter.
            for line in message.replace("/tmp/", f"{workspace}/").splitlines():  # noqa: S108 - a path the scenario types into a mail
                command = f'echo "{line}"'
                subprocess.run(command, shell=True, cwd=workspace, capture_output=True, check=False)  # noqa: S602 - the break

        return told

    wrap(part("edit.repository").Repository, "commit", by)


BREAK = Break("edit", "hostile_input", r"files called \S+ in edit", apply)
