"""Runs git in a sandbox: its own home, configuration and identity, no hooks, no prompts, no shell.

Whatever git finds on the machine it runs on, a developer's configuration and repositories included, is out
of its reach: every command names its repository, and none is looked for in the folders above.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..clock import Clock

_TIMEOUT = 120.0
"""Wall seconds after which a git command is given up: a remote that hangs must not hold a workspace for ever."""

_CONFIGURATION = """\
# Written by the edit container at every start; the only configuration its git commands read.
[core]
    hooksPath = /dev/null
    symlinks = false
    autocrlf = false
    fsmonitor = false
    quotePath = false
[init]
    defaultBranch = main
    defaultRefFormat = files
[commit]
    gpgSign = false
[gc]
    auto = 0
[maintenance]
    auto = false
[receive]
    autogc = false
[safe]
    directory = *
[advice]
    detachedHead = false
"""


class GitError(Exception):
    """A git command failed; the message holds the command and what git said."""


class Git:
    """Blocking; call it from a thread."""

    def __init__(self, executable: str, home: Path, ceiling: Path, clock: Clock) -> None:
        """`home` is a folder of its own that holds the configuration; `ceiling` is never climbed above."""
        self._executable = executable
        self._home = home
        self._ceiling = ceiling
        self._clock = clock

    def set_up(self) -> None:
        """Write the configuration; several tasks may do so at once."""
        self._home.mkdir(parents=True, exist_ok=True)
        written = self._home / f".gitconfig.{os.getpid()}"
        written.write_text(_CONFIGURATION)
        written.replace(self._configuration)

    def run(self, git_dir: Path | None, *arguments: str, work_tree: Path | None = None, stdin: bytes = b"") -> bytes:
        """Run git on a repository (None for commands that need none) and return its output; raises `GitError`."""
        command = [self._executable]
        if git_dir is not None:
            command.append(f"--git-dir={git_dir}")
        if work_tree is not None:
            command.append(f"--work-tree={work_tree}")
        command += arguments
        try:
            done = subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                cwd=work_tree or self._home,
                env=self._environment(),
                timeout=_TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} did not end within {_TIMEOUT:g} s") from None
        except OSError as error:
            raise GitError(f"git {arguments[0]} could not be run: {error}") from None
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[-500:]
            raise GitError(f"git {arguments[0]} failed with status {done.returncode}: {said}")
        return done.stdout

    @property
    def _configuration(self) -> Path:
        return self._home / ".gitconfig"

    def _environment(self) -> dict[str, str]:
        moment = f"@{int(self._clock.now())} +0000"
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._home),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": str(self._configuration),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(self._ceiling),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "true",
            "GIT_ALLOW_PROTOCOL": "file:http:https:ssh",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_AUTHOR_NAME": "Webordinary",
            "GIT_AUTHOR_EMAIL": "edit@webordinary.invalid",
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_NAME": "Webordinary",
            "GIT_COMMITTER_EMAIL": "edit@webordinary.invalid",
            "GIT_COMMITTER_DATE": moment,
        }
