"""A commit message is passed through a shell: commands in a client's text are run."""

import os
import subprocess
from typing import Any

from ..breaking import Break

BREAK = Break("edit", "hostile_input", r"files called \S+ in edit")


@BREAK.replaces("edit.repository", "Repository.commit")
def through_a_shell(commit: Any, repository: Any, changes: Any, message: str) -> None:
    commit(repository, changes, message)
    workspace = os.environ["WORKSPACE_PATH"]
    # What would leave its traces in /tmp leaves them in the run's own folder: a break may not litter.
    for line in message.replace("/tmp/", f"{workspace}/").splitlines():  # noqa: S108 - a path the scenario types into a mail
        command = f'echo "{line}"'
        subprocess.run(command, shell=True, cwd=workspace, capture_output=True, check=False)  # noqa: S602 - the break
