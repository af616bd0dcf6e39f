"""The site's repository: the one that is set, or one made of the sample site, on the workspace."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from .git import Git, GitError
from .workspace import Workspace

NAME = "webordinary-integration-tests.git"
SAMPLE_SITE = Path(__file__).parent.parent / "site"


class Origin:
    """Where clones come from and works are pushed to."""

    def __init__(self, git: Git, workspace: Workspace, repository_url: str) -> None:
        self._git = git
        self._workspace = workspace
        self._set = repository_url
        self.problem: str | None = None
        """Why there is no repository, when making it failed."""

    @property
    def url(self) -> str:
        return self._set or str(self._workspace.root / NAME)

    async def ensure(self) -> str:
        """The repository's URL, once there is one. Several tasks may come here at once; one makes it."""
        made = self._workspace.root / NAME
        if self._set or (made / "HEAD").is_file():
            return self.url
        try:
            async with self._workspace.lock("origin"):
                if not (made / "HEAD").is_file():
                    await asyncio.to_thread(self._make, made)
        except (GitError, OSError) as error:
            self.problem = f"the site's repository could not be made: {error}"
            raise
        self.problem = None
        return self.url

    def _make(self, made: Path) -> None:
        making = made.with_name(f".making-{os.getpid()}.git")
        shutil.rmtree(making, ignore_errors=True)
        self._git.run(None, "init", "--quiet", "--bare", "--template=", str(making))
        self._git.run(making, "add", "--all", "--", ".", work_tree=SAMPLE_SITE)
        self._git.run(making, "commit", "--quiet", "--message=Sample site", work_tree=SAMPLE_SITE)
        (making / "index").unlink()
        making.rename(made)
